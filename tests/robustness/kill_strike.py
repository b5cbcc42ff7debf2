"""One kill, and a look at what is left."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import operator
import os
import random
import re
import signal
import subprocess
import tempfile
import time
import xml.etree.ElementTree
from collections import Counter
from pathlib import Path

import kill_benchmarks
import stratoperf as sp
from kill_commands import COMMANDS, Command
from kill_ground import Ground, finished_in, read_until, started
from stratoperf.cli.exits import ExitCode
from stratoperf.errors import StratoperfError

STOPPING = {name: signal.Signals[f"SIG{name}"] for name in ("HUP", "INT", "QUIT", "TERM")}
ENDS = ("KILL", *STOPPING, "GROUP", "TERMINAL")
"""GROUP kills the whole process group; TERMINAL closes the terminal that the command runs in."""

KILLING = ("KILL", "GROUP")

AGAIN = 0.25
"""The share of the signals that are followed by another one."""

LATER_S = 0.05
"""Seconds after which the second one comes, at most."""

LONGEST_S = 120.0
"""Seconds after which a command hangs."""

BEYOND = 1.05
"""Moments are uniform up to this multiple of the time that a command takes undisturbed."""

OF_OURS = re.compile(r'/stratoperf/([\w/]+\.py)", line \d+, in (.*)')
BEFORE_HANDLERS = {(f"{name}.py", "<module>") for name in ("__init__", "lazy", "cli/__init__")}
"""What importing runs before `main`; it leaves signals alone, for it may be anybody's process."""

CODES = {ExitCode.FINE, ExitCode.FAILED, ExitCode.INCONCLUSIVE}
"""How a command ends that nothing interrupted; a comparison of so little may find anything."""


@dataclasses.dataclass
class Strike:
    """One kill and what was wrong after it."""

    command: str
    end: str
    seed: int
    moment: float
    is_double: bool = False
    alive_s: float = 0.0
    faults: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def fault(self, kind: str, what: str) -> None:
        """Note that something was wrong."""
        self.faults.append((kind, what))


def strike(template: Path, name: str, end: str, seed: int, normal_s: float) -> Strike:
    """Strike once and look."""
    generator = random.Random(f"{seed} {name} {end}")
    command = COMMANDS[name]
    result = Strike(name, end, seed, generator.uniform(0, BEYOND * normal_s))
    with tempfile.TemporaryDirectory(prefix="stratoperf-kill-") as folder:
        ground = Ground(Path(folder), template, command)
        code = _struck(ground, result, generator)
        _look_at_processes(ground, result)
        if code is None:
            return result
        _look_at_ending(ground, result, code)
        os.environ[kill_benchmarks.LOG] = str(ground.log)
        _look_at_results(ground, command, result, code)
        for what in ground.touched():
            result.fault("touched", what)
    return result


def _struck(ground: Ground, result: Strike, generator: random.Random) -> int | None:
    """Start the command and kill it; return how it ended."""
    begin = time.monotonic()
    with started(ground, result.end) as (process, main):
        if main is not None:
            read_until(main, begin + result.moment)
            os.close(main)
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(result.moment)
        _send(process, result.end)
        if result.end in STOPPING and generator.random() < AGAIN:
            time.sleep(generator.uniform(0, LATER_S))
            _send(process, generator.choice(list(STOPPING)))
            result.is_double = True
        try:
            return process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            result.fault("hangs", f"still runs {LONGEST_S:g} s later")
            return None


def _send(process: subprocess.Popen[bytes], end: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        if end == "GROUP":
            os.killpg(process.pid, signal.SIGKILL)
        elif end != "TERMINAL":
            process.send_signal(signal.Signals[f"SIG{end}"])


def _look_at_processes(ground: Ground, result: Strike) -> None:
    """Wait for the end of all processes of a command that ended just now."""
    begin = time.monotonic()
    while alive := ground.alive():
        result.alive_s = time.monotonic() - begin
        if result.alive_s > LONGEST_S:
            result.fault("alive", f"{len(alive)} processes for good: {alive}")
            for process in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(process.split()[0]), signal.SIGKILL)
            return
        time.sleep(0.02)


def _look_at_ending(ground: Ground, result: Strike, code: int) -> None:
    """Hold the exit code and the words to what the signal promises."""
    words = ground.error.read_text(errors="replace")
    # Before our handlers are set, what comes is Python's to handle: `import stratoperf` sets none.
    noise = re.search(r"(Traceback|Exception ignored)(?s:.*)", words)
    if noise is not None and set(OF_OURS.findall(noise[0])) - BEFORE_HANDLERS:
        result.fault("noise", noise[0][:2000])
    if result.end in KILLING:
        allowed = {-signal.SIGKILL}
    else:
        # Of two that come at once either may be the first. Before signals are handled, and when
        # all is saved, they end the process without a word.
        stopping = {"TERMINAL": signal.SIGHUP, **STOPPING}
        numbers = STOPPING.values() if result.is_double else [stopping[result.end]]
        allowed = {code for number in numbers for code in (-number, 128 + number)}
    if code not in allowed | CODES:
        result.fault("code", f"{code}: {words[-500:]}")


def _look_at_results(ground: Ground, command: Command, result: Strike, code: int) -> None:
    begun = ground.begun() if command.measures else []
    finished = Counter(begun[:-1]) + ground.finished
    kept = _kept(ground, result)
    # A journal and the file beside it have the same processes.
    nothing: Counter[str] = Counter()
    known = functools.reduce(operator.or_, kept.values(), nothing)
    if finished - known:
        result.fault("lost", f"{finished - known} of {kept}")
    if result.end not in KILLING and begun:
        # It was asked to stop, and had the time to save: nothing needs a journal any more.
        for path in ground.results.glob("*.journal"):
            if path.name != "mine.journal":
                result.fault("unsaved", f"ended with {code} and left {path.name}")
    if command.measures:
        _resume(ground, result)
    for name in ("gate.xml", "gate.md"):
        _look_at_report(ground.project / name, result)
    _start_next(ground, command, result)


def _kept(ground: Ground, result: Strike) -> dict[str, Counter[str]]:
    """Return by file how many processes are finished of each case."""
    kept: dict[str, Counter[str]] = {}
    for path in _runs(ground):
        try:
            run = sp.load(path)
        except StratoperfError as error:
            # What was killed before it was a journal is for the next run to sweep away.
            if path.suffix == ".json":
                result.fault("unreadable", f"{path.name}: {error}")
            continue
        kept[path.name] = finished_in(run)
    return kept


def _runs(ground: Ground) -> list[Path]:
    """Return the run files and journals of commands."""
    return [
        path
        for path in sorted(ground.results.glob("*"))
        if path.suffix in (".json", ".journal")
        and path.name not in ("latest.json", "mine.journal")
        and not path.name.startswith(".")
    ]


def _resume(ground: Ground, result: Strike) -> None:
    """Go on with what was interrupted, to its end."""
    # A journal knows more than the file beside it.
    for path in sorted(_runs(ground), key=lambda path: path.suffix == ".json"):
        if not path.exists():
            continue
        try:
            run = sp.load(path)
        except StratoperfError:
            # A journal that was killed before it was one is for the next run to sweep away.
            continue
        keys = run.document["plan"]["keys"]
        if path.suffix == ".json" and [item.status for item in run.results] == ["ok"] * len(keys):
            continue
        before, known = Counter(ground.begun()), finished_in(run)
        try:
            run = sp.run(resume=path)
        except StratoperfError as error:
            result.fault("resume", f"{path.name}: {error}")
            continue
        again = Counter(ground.begun()) - before
        if finished_in(run) - known != again:
            result.fault("again", f"measured {again} of {finished_in(run)}, with {known} there")
        if [entry.key for entry in run.results if entry.status == "ok"] != keys:
            result.fault("resume", f"{path.name} is not complete: {run.results}")


def _look_at_report(path: Path, result: Strike) -> None:
    """Make sure that a report is whole or not there."""
    if path.suffix == ".xml" and path.exists():
        try:
            xml.etree.ElementTree.parse(path)
        except xml.etree.ElementTree.ParseError as error:
            result.fault("left over", f"{path.name} is cut off: {error}")


def _start_next(ground: Ground, command: Command, result: Strike) -> None:
    """Run something in the same folder, and look at what is left there then."""
    sp.run(
        "kill.native",
        output=ground.results,
        duration_s=0.005,
        warmup_s=0.0,
        iterations=1,
        processes=1,
    )
    for path in sorted(ground.results.iterdir()):
        if path.name in ("mine", "mine.journal"):
            continue
        if path.name.startswith(".") or path.suffix not in (".json", ".npz"):
            # No live comparison goes on: its journal is what was measured.
            if command.is_live and path.suffix == ".journal" and _has_results(path):
                continue
            result.fault("left over", path.name)
        elif path.suffix == ".npz" and not path.with_suffix(".json").exists():
            result.fault("left over", f"{path.name} without its run")
        elif path.suffix == ".json":
            with contextlib.suppress(StratoperfError):
                sp.load(path)
                continue
            result.fault("unreadable", path.name)
    for path in ground.project.glob(".*"):
        result.fault("left over", path.name)


def _has_results(journal: Path) -> bool:
    with contextlib.suppress(StratoperfError):
        return len(sp.load(journal).results) > 0
    return False
