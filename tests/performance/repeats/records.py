"""What re-runs said: one line of JSON each; survives kill -9, and is checked when it is read."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from repeats.plan import JOBS, Job

Tree = dict[str, Any]

_Time = Annotated[float, msgspec.Meta(gt=0)]

_DRIFTED = re.compile(r"than usual|machine's speed|speed of the (CPU|memory)", re.IGNORECASE)
_DISTURBED = re.compile(r"disturbed|waited for a CPU|took the CPU|other processes", re.IGNORECASE)


class Interval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value with its interval, in ns; a bound that the tool did not state is ``None``."""

    value: float
    low: float | None
    high: float | None

    def scaled(self, factor: float) -> Interval:
        """Return it in another unit."""
        low = None if self.low is None else self.low * factor
        high = None if self.high is None else self.high * factor
        return Interval(self.value * factor, low, high)

    def problem(self) -> str | None:
        """Return what is wrong with the numbers, or ``None``."""
        low, high = self.low, self.high
        numbers = [number for number in (low, self.value, high) if number is not None]
        if not all(map(math.isfinite, numbers)) or self.value <= 0:
            return f"value, low and high must be finite, and value above 0; got {numbers}"
        # Half a unit in the ninth digit: records are rounded.
        if any(above < below - 1e-8 * abs(below) for below, above in itertools.pairwise(numbers)):
            return f"low <= value <= high does not hold for {numbers}"
        return None


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one re-run of a tool said.

    Attributes
    ----------
    interval
        Its number, with its interval or its mean ± its stated spread.
    program
        The tool with its version.
    warned
        What the result itself warned of, in its words.
    values, readings
        What each process said, in ns, and the time of a step of the reference workload beside it,
        where the tool reads that.
    scope
        What the interval speaks of, in the tool's words.
    details
        More of what the tool said of itself: variation, readings of the machine's speed.
    """

    interval: Interval
    program: str
    warned: tuple[str, ...] = ()
    values: tuple[_Time, ...] = ()
    readings: tuple[_Time, ...] = ()
    scope: str | None = None
    details: Tree = {}

    def at_speed(self, step_ns: float) -> Interval | None:
        """Return its number as it would be at a speed of the machine.

        Parameters
        ----------
        step_ns
            Time of a step of the reference workload at that speed.

        Returns
        -------
        Interval or None
            ``None`` where the processes do not follow the speed of the machine; see
            `stratoperf.statistics.scaling`.
        """
        from stratoperf.statistics.scaling import at_speed

        if not self.readings:
            return None
        scaled = at_speed(self.values, self.readings, step_ns)
        return None if scaled is None else Interval(scaled.value, scaled.low, scaled.high)

    @property
    def drifted(self) -> bool:
        """Whether it warned that the host changed its speed."""
        return any(map(_DRIFTED.search, self.warned))

    @property
    def disturbed(self) -> bool:
        """Whether it warned that others took the processor."""
        return any(map(_DISTURBED.search, self.warned))


class Rerun(NamedTuple):
    """One re-run: what was measured, when (UTC), for how many seconds, and what came of it.

    `outcome` is ``None`` where the tool failed; `failed` then has the reason.
    """

    job: Job
    started: str
    seconds: float
    outcome: Outcome | None
    failed: str | None = None

    def to_json(self) -> Tree:
        """Return it as plain JSON types."""
        tree: Tree = {
            "tool": self.job.tool,
            "operation": self.job.operation,
            "mode": self.job.mode,
            "started": self.started,
            "seconds": round(self.seconds, 3),
        }
        if self.outcome is None:
            return {**tree, "failed": self.failed}
        shortened: Tree = _short(msgspec.to_builtins(self.outcome))
        return {**tree, **shortened}


class _Head(msgspec.Struct):
    tool: str
    operation: str
    mode: str
    started: str
    seconds: Annotated[float, msgspec.Meta(ge=0)]


_HEAD = _Head.__struct_fields__


def read_rerun(tree: Any) -> Rerun:
    """Return the re-run of a record.

    Raises
    ------
    ValueError
        For what no re-run leaves; names the field.
    """
    if not isinstance(tree, dict):
        raise ValueError("a record must be an object")
    # A `ValidationError` of msgspec's is a `ValueError`, and names the path.
    head = msgspec.convert({name: tree[name] for name in _HEAD if name in tree}, _Head)
    job = Job(head.tool, head.operation, head.mode)
    if job not in JOBS:
        raise ValueError(f"tool, operation, mode: there is no such re-run: {' '.join(job)}")
    rest = {name: value for name, value in tree.items() if name not in _HEAD}
    if "failed" in rest:
        return Rerun(job, head.started, head.seconds, None, str(rest["failed"]))
    outcome = msgspec.convert(rest, Outcome)
    if problem := outcome.interval.problem():
        raise ValueError(f"interval: {problem}")
    if len(outcome.readings) not in (0, len(outcome.values)):
        raise ValueError(
            f"readings: expected {len(outcome.values)}, as many as values, got "
            f"{len(outcome.readings)}"
        )
    return Rerun(job, head.started, head.seconds, outcome)


class Store:
    """A folder of records, a file for each mode.

    Parameters
    ----------
    directory
        Made when it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Be the only writer, at the latest until the process ends, however it ends.

        Raises
        ------
        BlockingIOError
            When another process measures into the folder.
        """
        handle = os.open(self.directory, os.O_RDONLY)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BlockingIOError(
                    f"--data: another process measures into {self.directory}; wait for it, or "
                    "name another folder"
                ) from None
            yield
        finally:
            os.close(handle)

    def append(self, rerun: Rerun) -> None:
        """Write a record; it is on the disk when this returns."""
        line = json.dumps(rerun.to_json(), allow_nan=False).encode() + b"\n"
        path = self.directory / f"{rerun.job.mode}.jsonl"
        with path.open("ab", buffering=0) as file:
            # A line that a kill cut short must not swallow the next one.
            if file.tell() and not path.read_bytes().endswith(b"\n"):
                line = b"\n" + line
            file.write(line)
            os.fsync(file.fileno())


def read_reruns(directory: Path) -> list[Rerun]:
    """Return the records of a folder in the order written; lines that were cut short are left out.

    Raises
    ------
    ValueError
        For a whole line that is no record; names file and line.
    """
    return [rerun for path in sorted(directory.glob("*.jsonl")) for rerun in _read(path)]


def _read(path: Path) -> Iterator[Rerun]:
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            tree = json.loads(line)
        except ValueError:
            continue
        try:
            yield read_rerun(tree)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}; remove the line") from error


def _short(tree: Any) -> Any:
    """Return the tree with numbers of nine digits: more than any of them is known to."""
    if isinstance(tree, float):
        return float(f"{tree:.9g}")
    if isinstance(tree, dict):
        return {name: _short(below) for name, below in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_short(below) for below in tree]
    return tree
