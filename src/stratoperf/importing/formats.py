"""Tell which tool wrote a file, and read it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stratoperf import door
from stratoperf.errors import InvalidParameter, SchemaError
from stratoperf.importing import (
    asv,
    criterion,
    google_benchmark,
    gungraun,
    hyperfine,
    nvbench,
    pyperf,
    pytest_benchmark,
)
from stratoperf.importing.model import ToolFile
from stratoperf.paths import is_directory

KNOWN = (
    "JSON of Google Benchmark, pytest-benchmark, hyperfine, pyperf, nvbench, asv or Gungraun, and "
    "the folder target/criterion"
)

_GZIP = b"\x1f\x8b"


class _Format(NamedTuple):
    """How a format is recognized at the top level of its JSON, and what reads it."""

    keys: frozenset[str]
    read: Callable[[dict[str, Any], Path], ToolFile]


_FORMATS = (
    _Format(frozenset({"benchmarks", "context"}), google_benchmark.read),
    _Format(frozenset({"benchmarks", "machine_info"}), pytest_benchmark.read),
    _Format(frozenset({"benchmarks", "devices", "meta"}), nvbench.read),
    _Format(frozenset({"result_columns", "results"}), asv.read),
    _Format(frozenset({"profiles", "module_path"}), gungraun.read),
    _Format(frozenset({"callgrind_summary", "module_path"}), gungraun.read),
    # Without what the ones above have.
    _Format(frozenset({"benchmarks", "version"}), pyperf.read),
    _Format(frozenset({"results"}), hyperfine.read),
)


def read_file(path: Path, baseline: str | None) -> ToolFile:
    """Read a file or folder of another tool.

    Parameters
    ----------
    path
        Of a file, or of a folder of Criterion.
    baseline
        Which of the baselines of such a folder.

    Raises
    ------
    SchemaError
        When it cannot be read or is of no known format.
    InvalidParameter
        For a `baseline` where there is none.
    """
    if is_directory(path):
        return criterion.read_folder(path, baseline)
    if baseline is not None:
        raise InvalidParameter(
            f"baseline: {path} is a file, and only a folder of Criterion has baselines; leave "
            "--baseline out"
        )
    content = door.read_bytes(path, door.LARGEST_JSON)
    if content.startswith(_GZIP):
        content = _unpacked(content, path)
    _refuse_divan(content, path)
    tree = door.parse_json(content, str(path), nan_is_null=True)
    return _read(tree, path)


def _read(tree: Any, path: Path) -> ToolFile:
    if not isinstance(tree, dict):
        raise SchemaError(
            f"{path}: it is not the output of a known benchmark tool; expected {KNOWN}"
        )
    if str(tree.get("schema", "")).startswith("stratoperf.run/"):
        raise SchemaError(f"{path}: this is a run file already; use it as it is")
    for format_ in _FORMATS:
        if format_.keys <= tree.keys():
            try:
                file = format_.read(tree, path)
                if not file.benchmarks:
                    raise SchemaError("it has no benchmarks; measure some first")
            except SchemaError as error:
                raise SchemaError(f"{path}: {error}") from error.__cause__
            return file
    raise SchemaError(f"{path}: no known tool writes the keys {_shown(tree)}; expected {KNOWN}")


def _shown(tree: Mapping[str, Any]) -> str:
    return (
        ", ".join(repr(door.shortened(key, 20)) for key in list(tree)[:5]) or "of an empty object"
    )


def _unpacked(content: bytes, path: Path) -> bytes:
    """Return what gzip packed, of limited size."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(content, door.LARGEST_JSON + 1)
    except zlib.error as error:
        raise SchemaError(f"{path}: gzip says {error}; get a fresh copy of the file") from error
    if len(unpacked) > door.LARGEST_JSON:
        raise SchemaError(
            f"{path}: it unpacks to more than {door.LARGEST_JSON >> 20} MiB, the limit for such a "
            "file"
        )
    if not unpacker.eof:
        raise SchemaError(f"{path}: the gzip file is truncated; get a fresh copy of it")
    return unpacked


def _refuse_divan(content: bytes, path: Path) -> None:
    head = content[:4096].decode("utf-8", "replace")
    if "fastest" in head and "slowest" in head and "│" in head:
        raise SchemaError(
            f"{path}: this is what divan prints, rounded for people; divan writes no file with its "
            "samples; measure with Criterion, whose folder target/criterion can be imported"
        )
