"""Thresholds of a project, read from a TOML file: in percent, by benchmark.

::

    default = 5

    [benchmarks]
    "consensus.round" = 3
    "storage.*" = 15
"""

from __future__ import annotations

import fnmatch
import importlib
import math
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from stratoperf import door
from stratoperf.analysis.verdicts import LARGEST_THRESHOLD
from stratoperf.door import shortened
from stratoperf.errors import InvalidParameter, SchemaError, did_you_mean
from stratoperf.paths import user_path

LARGEST_FILE = 1 << 18
"""Bytes in a file of thresholds at most: 256 KiB, some 5,000 benchmarks."""

MOST_DOTS = 200
"""Dots in a line at most: the time that Python takes for a key grows with their square."""

_KEYS = ("default", "benchmarks")
_LARGEST_PERCENT = 100 * LARGEST_THRESHOLD


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """The slow-downs that matter, as fractions: 0.05 is 5 %.

    Attributes
    ----------
    default
        Threshold of every benchmark without one of its own; ``None`` leaves it to the caller.
    benchmarks
        By name or glob pattern, names first: the first that matches a benchmark counts.
    source
        The file, for messages.
    """

    default: float | None = None
    benchmarks: Mapping[str, float] = {}
    source: str = "thresholds"

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Return the names and patterns that match none of the benchmarks."""
        known = list(names)
        return [
            pattern
            for pattern in self.benchmarks
            if not any(fnmatch.fnmatchcase(name, pattern) for name in known)
        ]

    def check(self, names: Iterable[str]) -> None:
        """Make sure that every threshold is for a benchmark that exists.

        Parameters
        ----------
        names
            All benchmarks that exist.

        Raises
        ------
        InvalidParameter
            For a name or a pattern that matches none; suggests the nearest.
        """
        known = list(names)
        for pattern in self.unknown(known):
            what = "pattern matches no benchmark" if is_pattern(pattern) else "benchmark is unknown"
            raise InvalidParameter(
                f"{self.source}: benchmarks.{shortened(pattern)!r}: the {what}; "
                f"{did_you_mean(pattern, known)}"
            )


def load_thresholds(path: str | os.PathLike[str]) -> Thresholds:
    """Read a file of thresholds.

    Parameters
    ----------
    path
        A TOML file with the keys ``default`` and ``benchmarks``, in percent.

    Raises
    ------
    InvalidParameter
        When it cannot be read, is not TOML, has another key, or a value that is not a percentage;
        names the file and the key.
    """
    path = user_path("thresholds", path)
    source = str(path)
    tree = _parsed(path)
    for key in tree:
        if key not in _KEYS:
            raise InvalidParameter(
                f"{source}: {shortened(key)!r} is not a key of a thresholds file; "
                f"{_hint(key, tree[key])}"
            )
    benchmarks = tree.get("benchmarks", {})
    if not isinstance(benchmarks, dict):
        raise InvalidParameter(
            f"{source}: benchmarks: expected a table of percentages by name, got a "
            f"{type(benchmarks).__name__}"
        )
    chosen = {
        name: _fraction(value, f"{source}: benchmarks.{shortened(name)!r}")
        for name, value in benchmarks.items()
    }
    return Thresholds(
        default=_fraction(tree["default"], f"{source}: default") if "default" in tree else None,
        benchmarks=dict(sorted(chosen.items(), key=lambda item: is_pattern(item[0]))),
        source=source,
    )


def is_pattern(name: str) -> bool:
    """Return whether a name stands for all that match it."""
    return any(letter in name for letter in "*?[")


def _parsed(path: Path) -> dict[str, Any]:
    # Part of Python from 3.11 on; before that the package tomli, which became it.
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        text = door.read_bytes(path, LARGEST_FILE).decode()
        for number, line in enumerate(text.splitlines(), 1):
            if line.count(".") > MOST_DOTS:
                raise InvalidParameter(
                    f"thresholds: line {number} of {path} has more than {MOST_DOTS} dots; write "
                    'one name in quotes, such as "kv.put" = 5'
                )
        tree: dict[str, Any] = toml.loads(text)
        door.check_tree(tree)
    except UnicodeDecodeError as error:
        raise InvalidParameter(
            f"thresholds: {path} is not valid UTF-8: byte {error.start}; save it as UTF-8"
        ) from error
    except SchemaError as error:
        raise InvalidParameter(f"thresholds: {error}; give a TOML file") from error
    except ValueError as error:
        raise InvalidParameter(
            f"thresholds: {path} is not TOML: {door.shortened(str(error), 200)}; write for "
            "example: default = 5"
        ) from error
    except RecursionError:
        raise InvalidParameter(
            f"thresholds: {path} is nested too deep; write for example: default = 5"
        ) from None
    return tree


def _hint(key: str, value: object) -> str:
    if isinstance(value, int | float):
        return f'put thresholds by name below [benchmarks], such as "{shortened(key)}" = {value}'
    return did_you_mean(key, _KEYS)


def _fraction(value: object, where: str) -> float:
    """Return a percentage as a fraction."""
    if isinstance(value, dict):
        name = where.rpartition(".")[2].strip("'")
        inner = shortened(next(iter(value), "name"))
        raise InvalidParameter(
            f"{where}: expected a percentage, got a table; quote a name with a dot: "
            f'"{name}.{inner}" = 5'
        )
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidParameter(
            f"{where}: expected a percentage such as 5, got {shortened(repr(value))}"
        )
    if not 0 < value <= _LARGEST_PERCENT:
        raise InvalidParameter(
            f"{where}: expected a percentage above 0 and at most {_LARGEST_PERCENT:g}, got {value}"
        )
    return value / 100
