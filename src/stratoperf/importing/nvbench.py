"""Read the JSON of nvbench (``--json FILE`` or ``--jsonbin FILE``).

Numbers are written as strings. With ``--jsonbin`` the samples lie beside the file, as 32-bit
floats: what is read is the folder and the file's last names, whatever path the JSON gives. (Newer
versions write it relative to the JSON, older ones relative to where nvbench ran.) Without samples,
the mean and the quartiles that the tool states are taken.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from stratoperf import door
from stratoperf.errors import SchemaError
from stratoperf.importing.facts import machine
from stratoperf.importing.model import NS_PER_S, Imported, Observed, Sampled, Stated, ToolFile
from stratoperf.results.schema import Count
from stratoperf.results.validation import convert

TOOL = "nvbench"

_BYTES = 4
"""Of a sample: little-endian float32."""


class _Value(msgspec.Struct, frozen=True):
    """A named value; all are strings."""

    name: str
    value: str
    type: str = "string"


class _Summary(msgspec.Struct, frozen=True):
    """One thing that nvbench says of a state."""

    tag: str
    data: list[_Value] | None = None


class _State(msgspec.Struct, frozen=True):
    """A benchmark with one value on each axis, on one device."""

    device: int | None = None
    axis_values: list[_Value] | None = None
    summaries: list[_Summary] | None = None
    is_skipped: bool = False
    skip_reason: str | None = None


class _Benchmark(msgspec.Struct, frozen=True):
    """A benchmark with its states."""

    name: str
    states: list[_State] | None = None


class _Device(msgspec.Struct, frozen=True):
    """A GPU."""

    id: Count
    name: str


def read(tree: dict[str, Any], path: Path) -> ToolFile:
    """Return what a file holds, and what lies beside it.

    Parameters
    ----------
    tree
        Its JSON.
    path
        The file, for those beside it.

    Raises
    ------
    SchemaError
        With the key path, or the path of the file beside it.
    """
    devices = {
        device.id: device.name
        for index, item in enumerate(convert(tree["devices"] or [], list[Any], "devices"))
        for device in [convert(item, _Device, f"devices[{index}]")]
    }
    benchmarks: list[Imported] = []
    for index, item in enumerate(convert(tree["benchmarks"], list[Any], "benchmarks")):
        benchmark = convert(item, _Benchmark, f"benchmarks[{index}]")
        for number, state in enumerate(benchmark.states or ()):
            where = f"benchmarks[{index}].states[{number}]"
            benchmarks.append(_imported(benchmark.name, state, devices, path, where))
    return ToolFile(
        tool=TOOL,
        benchmarks=benchmarks,
        lost=("bandwidths, clock rates and batch measurements",),
    )


def _imported(
    name: str, state: _State, devices: dict[int, str], path: Path, where: str
) -> Imported:
    params: dict[str, int | float | str] = {
        axis.name: _plain(axis, where) for axis in state.axis_values or ()
    }
    said = {summary.tag: summary for summary in state.summaries or ()}
    on_cpu = any(tag.startswith("nv/cpu_only/") for tag in said)
    if len(devices) > 1 and state.device is not None:
        params["device"] = state.device
    gpu = devices.get(state.device) if state.device is not None else None
    head = Imported(
        name=name,
        params=params,
        backend="cpu" if on_cpu else "cuda",
        system=machine(gpus=[] if gpu is None else [{"name": gpu}]) if gpu else {},
    )
    if state.is_skipped:
        reason = state.skip_reason or "nvbench skipped it"
        return msgspec.structs.replace(head, status="skipped", reason=reason)
    metrics, notes = _metrics(said, on_cpu, path, where)
    if not metrics:
        return msgspec.structs.replace(
            head, status="skipped", reason="the file has no time of single runs"
        )
    return msgspec.structs.replace(head, metrics=metrics, notes=notes)


def _metrics(
    said: dict[str, _Summary], on_cpu: bool, path: Path, where: str
) -> tuple[dict[str, Observed], tuple[str, ...]]:
    """Return the times: of the GPU first, as nvbench does."""
    prefix = "nv/cpu_only" if on_cpu else "nv/cold"
    main = "cpu" if on_cpu else "gpu"
    count = _number(said, f"{prefix}/sample_size", where) or 1
    metrics: dict[str, Observed] = {}
    notes: tuple[str, ...] = ()
    samples = _samples(said.get(f"nv/json/bin:{prefix}/sample_times"), path, where)
    if samples is not None:
        metrics["latency"] = Observed(processes=[Sampled(samples)])
    else:
        stated = _stated(said, f"{prefix}/time/{main}", count, where)
        if stated is not None:
            metrics["latency"] = Observed(processes=[stated])
            notes = ("the file has no samples; save them with --jsonbin",)
    if metrics and not on_cpu:
        host = _stated(said, f"{prefix}/time/cpu", count, where)
        if host is not None:
            metrics["host_time"] = Observed(processes=[host])
        notes = ("latency is the time on the GPU, by CUDA events", *notes)
    return metrics, notes


def _stated(said: dict[str, _Summary], tag: str, count: float, where: str) -> Stated | None:
    mean, deviation, low, high, median = (
        _number(said, f"{tag}/{name}", where)
        for name in ("mean", "stdev/absolute", "min", "max", "median")
    )
    if mean is None and median is None:
        return None
    if deviation is None and mean is not None:
        share = _number(said, f"{tag}/stdev/relative", where)
        deviation = None if share is None else share * mean
    values = (
        # A sentinel stands for what could not be computed.
        None if value is None or not 0 <= value < 1e30 else value * NS_PER_S
        for value in (mean, deviation, low, high, median)
    )
    return Stated(int(count), *values)


def _number(said: dict[str, _Summary], tag: str, where: str) -> float | None:
    """Return the value of a summary."""
    summary = said.get(tag)
    for item in (summary.data or ()) if summary is not None else ():
        if item.name == "value":
            return _float(item.value, f"{where}: {door.shortened(tag)}")
    return None


def _float(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SchemaError(f"{where}: expected a number, got {door.shortened(text)!r}") from None


def _plain(axis: _Value, where: str) -> int | float | str:
    place = f"{where}.axis_values: {door.shortened(axis.name)}"
    if axis.type == "int64":
        number = _float(axis.value, place)
        if not number.is_integer() or abs(number) > door.LARGEST_INTEGER / 2:
            raise SchemaError(f"{place}: expected an integer, got {door.shortened(axis.value)!r}")
        return int(axis.value)
    if axis.type == "float64":
        number = _float(axis.value, place)
        return number if np.isfinite(number) else axis.value
    return axis.value


def _samples(summary: _Summary | None, path: Path, where: str) -> NDArray[np.float64] | None:
    """Return the samples in nanoseconds; ``None`` where nvbench wrote none."""
    values = {item.name: item.value for item in (summary.data or ())} if summary else {}
    if "filename" not in values:
        return None
    place = f"{where}: the samples"
    file = _beside(values["filename"], path, place)
    content = door.read_bytes(file, door.MOST_NUMBERS * _BYTES, follow_links=False)
    count = int(_float(values.get("size", str(len(content) // _BYTES)), place))
    if len(content) != count * _BYTES:
        raise SchemaError(
            f"{place}: expected {count} numbers of {_BYTES} bytes in {file}, got {len(content)} "
            "bytes; copy it beside the JSON again"
        )
    return np.frombuffer(content, "<f4").astype(np.float64) * NS_PER_S


def _beside(name: str, path: Path, place: str) -> Path:
    """Return the file with the samples: in a folder beside the JSON, nowhere else."""
    parts = PurePosixPath(name).parts[-2:]
    if len(parts) < 2 or not parts[0].endswith("-bin") or ".." in parts or "\0" in name:
        raise SchemaError(
            f"{place}: {door.shortened(name)!r} is not FOLDER-bin/NUMBER.bin beside the JSON"
        )
    folder = path.parent / parts[0]
    if folder.is_symlink():
        raise SchemaError(f"{place}: {folder} is a symbolic link; copy the folder itself")
    return folder / parts[1]
