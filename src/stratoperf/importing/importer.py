"""Read files of other tools, and make one run of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from stratoperf.door import shortened
from stratoperf.errors import InvalidParameter, SchemaError
from stratoperf.importing.building import key_of, result_of, system_name
from stratoperf.importing.formats import read_file
from stratoperf.importing.model import Imported, ToolFile
from stratoperf.paths import user_path
from stratoperf.results import Run
from stratoperf.running.document import new_document

PRESET = "imported"


def import_results(
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    baseline: str | None = None,
) -> Run:
    """Make a run of what other benchmark tools wrote.

    Reads JSON of Google Benchmark, pytest-benchmark, hyperfine, pyperf (``.json.gz`` too), nvbench,
    asv and Gungraun (version 6 of its summary), and the folder ``target/criterion`` of Criterion.

    A benchmark that is in several files, in the same form, has the processes of all of them: five
    exports of one tool make a result of five processes.

    Parameters
    ----------
    files
        Files and folders.
    baseline
        Which of the saved baselines of a Criterion folder is read; by default ``"new"``, the latest
        measurement, and ``"base"`` where there is none.

    Returns
    -------
    Run
        Each result has the category ``"imported"``, and the tool in `Result.params`. Its `notes`
        tell what is assumed. Samples keep what they are (``Series.kind``): single events or means
        of batches. ``run.document["imported"]`` lists the files, and what of them is lost.

    Raises
    ------
    SchemaError
        When a file is of no known format, cannot be read, or holds what is no measurement; names
        the file and the key.
    InvalidParameter
        Without files.
    """
    if isinstance(files, str | os.PathLike):
        files = [files]
    if not isinstance(files, Iterable) or isinstance(files, bytes):
        raise InvalidParameter(f"files: expected a path or several, got {files!r}")
    paths = [user_path("files", path) for path in files]
    if not paths:
        raise InvalidParameter(
            "files: expected at least one file of another tool, got an empty list"
        )
    read = [(path, read_file(path, baseline)) for path in paths]
    document = new_document(PRESET, imported=_sources(read))
    document["created"] = f"{_moment(read):%Y-%m-%dT%H:%M:%SZ}"
    document["systems"] = {
        name: dict(benchmark.system)
        for _, file in read
        for benchmark in file.benchmarks
        if (name := system_name(benchmark.system)) is not None
    }
    document["results"] = _results(read)
    try:
        return Run(document)
    except SchemaError as error:
        # What the readers let pass and a run file cannot hold.
        names = ", ".join(str(path) for path in paths)
        raise SchemaError(f"{names}: {error}") from error


def _sources(read: list[tuple[Path, ToolFile]]) -> dict[str, Any]:
    return {
        "files": [
            {"name": path.name, "tool": file.tool, "lost": list(file.lost)} for path, file in read
        ]
    }


def _moment(read: list[tuple[Path, ToolFile]]) -> datetime:
    """Return when the latest file was measured, or written where it does not tell."""
    moments = [
        file.measured or datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
        for path, file in read
    ]
    # A clock before 1970 is no clock; run files refuse it.
    return max([*moments, datetime.fromtimestamp(0, timezone.utc)])


def _results(read: list[tuple[Path, ToolFile]]) -> list[dict[str, Any]]:
    found: dict[str, list[tuple[Path, ToolFile, Imported]]] = {}
    for path, file in read:
        keys: set[str] = set()
        for benchmark in file.benchmarks:
            key = key_of(file.tool, benchmark)
            if key in keys:
                raise SchemaError(
                    f"{path}: the benchmark {shortened(key)!r} is there twice; give each a name "
                    "of its own and measure again"
                )
            keys.add(key)
            found.setdefault(key, []).append((path, file, benchmark))
    results = []
    for several in found.values():
        path, file, latest = several[-1]
        try:
            results.append(result_of(file.tool, latest, [each for _, _, each in several[:-1]]))
        except SchemaError as error:
            raise SchemaError(f"{path}: {error}") from error
    return results
