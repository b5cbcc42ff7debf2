"""Read a folder of Criterion (``target/criterion``).

A benchmark has a folder, with one more for each baseline: ``new`` for the latest measurement,
``base`` for the one before, and others by name (``--save-baseline NAME``). ``sample.json`` has the
sum of the times of each batch with its iterations; since 0.3.3 with their mode, before as two
lists. Its unit is that of the measurement: nanoseconds, unless the benchmark measures something
else, which only ``raw.csv`` tells (the feature ``csv_output``).
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from stratoperf import door
from stratoperf.errors import InvalidParameter, SchemaError
from stratoperf.importing.model import Imported, Observed, Sampled, ToolFile
from stratoperf.results.validation import convert

TOOL = "criterion"

LATEST = ("new", "base")

MOST_FOLDERS = 100_000
"""That are looked into; a benchmark has five."""

DEEPEST = 16
"""Levels of folders at most: group, function, parameter and baseline are four."""

_ASSUMED = "the unit is assumed to be nanoseconds: the folder has no raw.csv, which would tell it"

_UNITS = {"Bytes": "B", "BytesDecimal": "B", "Elements": "elements", "Bits": "bits"}


class _Identity(msgspec.Struct, frozen=True):
    """``benchmark.json``."""

    full_id: str
    throughput: dict[str, Any] | None = None


class _Sample(msgspec.Struct, frozen=True):
    """``sample.json`` since 0.3.3: sums of times, and iterations."""

    iters: list[float]
    times: list[float]
    sampling_mode: str | None = None


def read_folder(path: Path, baseline: str | None) -> ToolFile:
    """Return what a folder holds.

    Parameters
    ----------
    path
        ``target/criterion``, or a folder in it.
    baseline
        Which one; by default the latest measurement.

    Raises
    ------
    SchemaError
        When there is none, or when a file of one cannot be read.
    InvalidParameter
        When no benchmark has this baseline.
    """
    found = _folders(path)
    if not found:
        raise SchemaError(
            f"{path}: there is no measurement of Criterion in this folder; give the folder "
            "target/criterion, or a file of another tool"
        )
    chosen = [
        (folder, name) for folder, names in found.items() for name in _choice(names, baseline)
    ]
    if not chosen:
        others = sorted({name for names in found.values() for name in names})
        raise InvalidParameter(
            f"baseline: no benchmark in {path} has {door.shortened(str(baseline))!r}; it has "
            f"{', '.join(door.shortened(name, 30) for name in others[:8])}"
        )
    benchmarks = [_benchmark(folder / name) for folder, name in chosen]
    written = max((folder / name / "sample.json").stat().st_mtime for folder, name in chosen)
    return ToolFile(
        tool=TOOL,
        benchmarks=benchmarks,
        measured=datetime.fromtimestamp(max(0.0, written), timezone.utc),
        lost=("Criterion's own estimates and its comparison with the baseline",),
    )


def _choice(names: set[str], baseline: str | None) -> list[str]:
    wanted = LATEST if baseline is None else (baseline,)
    return [name for name in wanted if name in names][:1]


def _folders(path: Path) -> dict[Path, set[str]]:
    """Return the folders of benchmarks, each with the names of its baselines."""
    found: dict[Path, set[str]] = {}
    for number, (folder, _, files) in enumerate(_walk(path)):
        if number >= MOST_FOLDERS:
            raise SchemaError(
                f"{path}: there are more than {MOST_FOLDERS:,} folders; give the folder of "
                "Criterion, target/criterion"
            )
        if "sample.json" in files and "benchmark.json" in files:
            found.setdefault(folder.parent, set()).add(folder.name)
    return found


def _walk(path: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield folders in the order of their names; symbolic links are not followed."""
    depth = len(path.parts)
    for name, folders, files in os.walk(path):
        folder = Path(name)
        folders.sort()
        if len(folder.parts) - depth >= DEEPEST:
            folders.clear()
        yield folder, folders, files


def _benchmark(folder: Path) -> Imported:
    identity = _read(folder / "benchmark.json", _Identity)
    sample = _sample(folder / "sample.json")
    unit, note = _unit(folder / "raw.csv")
    iterations, sums = np.array(sample.iters), np.array(sample.times)
    if iterations.size != sums.size or not iterations.size:
        raise SchemaError(
            f"{folder / 'sample.json'}: expected as many times as iterations, at least one, got "
            f"{sums.size} and {iterations.size}; measure it again"
        )
    # NaN fails every comparison.
    if not ((iterations >= 1) & (iterations <= 2**53)).all():
        raise SchemaError(
            f"{folder / 'sample.json'}: iters: expected numbers from 1 on; measure it again"
        )
    counts = iterations.astype(np.int64)
    taken = Sampled.of_batches(sums / counts, counts)
    items, item_unit = _throughput(identity.throughput, folder)
    metric = "latency" if unit == "ns" else "value"
    return Imported(
        name=identity.full_id,
        metrics={metric: Observed(processes=[taken], unit=unit)},
        items=items if unit == "ns" else None,
        item_unit=item_unit if unit == "ns" else None,
        details={"baseline": folder.name, "sampling_mode": sample.sampling_mode},
        notes=() if note is None else (note,),
    )


def _read(path: Path, kind: Any) -> Any:
    content = door.read_bytes(path, door.LARGEST_JSON, follow_links=False)
    tree = door.parse_json(content, str(path))
    try:
        return convert(tree, kind, "")
    except SchemaError as error:
        raise SchemaError(f"{path}: {error}; measure it again") from error


def _sample(path: Path) -> _Sample:
    """Return the samples; before 0.3.3 they were a list of iterations and one of times."""
    content = door.read_bytes(path, door.LARGEST_JSON, follow_links=False)
    tree = door.parse_json(content, str(path))
    try:
        if isinstance(tree, list):
            iterations, times = convert(tree, tuple[list[float], list[float]], "")
            return _Sample(iterations, times)
        sample: _Sample = convert(tree, _Sample, "")
    except SchemaError as error:
        raise SchemaError(f"{path}: {error}; measure it again") from error
    return sample


def _unit(path: Path) -> tuple[str, str | None]:
    """Return the unit that ``raw.csv`` tells, or nanoseconds with a note that they are assumed."""
    try:
        content = door.read_bytes(path, door.LARGEST_JSON, follow_links=False)
    except SchemaError:
        return "ns", _ASSUMED
    rows = csv.DictReader(io.StringIO(content.decode("utf-8", "replace")))
    try:
        first = next(rows, None)
    except csv.Error as error:
        raise SchemaError(f"{path}: {error}; measure it again") from error
    unit = None if first is None else first.get("unit")
    return (unit, None) if unit else ("ns", _ASSUMED)


def _throughput(stated: dict[str, Any] | None, folder: Path) -> tuple[float | None, str | None]:
    """Return the work in one iteration: ``{"Bytes": 128}``."""
    for kind, unit in _UNITS.items():
        amount = (stated or {}).get(kind)
        if amount is not None:
            where = f"throughput.{kind}"
            try:
                number = convert(amount, float, where)
            except SchemaError as error:
                raise SchemaError(f"{folder / 'benchmark.json'}: {error}") from error
            return (number, unit) if number > 0 else (None, None)
    return None, None
