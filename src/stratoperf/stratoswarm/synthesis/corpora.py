"""Sources to work on: the standard library of the running Python, and generated functions."""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import os
import pickle
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from stratoperf import artifact
from stratoperf.arguments import whole_number
from stratoperf.errors import PrerequisiteMissing
from stratoperf.stratoswarm.synthesis.encoding import encode_all
from stratoperf.stratoswarm.synthesis.table import COLUMNS, NodeTable
from stratoperf.stratoswarm.synthesis.vocabulary import Vocabulary

# Folders of the library that hold something else.
_NO_LIBRARY = {"site-packages", "dist-packages", "__pycache__"}


def standard_library_files() -> list[Path]:
    """Return the Python files of the standard library, sorted.

    Raises
    ------
    PrerequisiteMissing
        When this Python has no library as files.
    """
    root = Path(sysconfig.get_path("stdlib"))
    files = [root / name for name, _ in sorted(_python_files(str(root)))]
    if not files:
        raise PrerequisiteMissing(
            f"the standard library: found no Python files in {root}; install the library as "
            "files, not as an archive"
        )
    return files


@functools.cache
def standard_library_digest() -> str:
    """Return an identifier of the standard library that needs no reading of its files.

    The version of Python, and the first 12 hexadecimal digits of the SHA-256 of the names and sizes
    of all files.
    """
    facts = sorted(_python_files(sysconfig.get_path("stdlib")))
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{version}-{hashlib.sha256(repr(facts).encode()).hexdigest()[:12]}"


@functools.cache
def standard_library() -> NodeTable:
    """Return one tree for each file of the standard library that parses (some are meant not to).

    Takes some ten seconds the first time: `ast` parses millions of nodes. The processes of a run
    share what the first of them read.

    Raises
    ------
    PrerequisiteMissing
        When this Python has no library as files.
    """
    known = artifact("standard library", standard_library_digest(), build=_read_library)
    vocabulary = Vocabulary()
    # In their order, so that all have their numbers again.
    for value in pickle.loads(known["values"]):
        vocabulary.value_id(value, add=True)
    for layout in pickle.loads(known["layouts"]):
        vocabulary.layout_id(layout, add=True)
    return NodeTable.of([known[name] for name in COLUMNS], vocabulary)


def _read_library() -> dict[str, Any]:
    table = encode_all(parsed(standard_library_files()))
    return {
        **{name: getattr(table, name) for name in COLUMNS},
        "values": pickle.dumps(list(table.vocabulary.values)),
        "layouts": pickle.dumps(list(table.vocabulary.layouts)),
    }


def parsed(files: Iterable[Path]) -> Iterator[ast.AST]:
    """Yield the tree of each file that parses.

    Parameters
    ----------
    files
        Paths of Python files.

    Raises
    ------
    OSError
        When one cannot be read.
    """
    with warnings.catch_warnings():
        # Of invalid escapes and the like in the files of Python's own tests.
        warnings.simplefilter("ignore")
        for path in files:
            try:
                yield ast.parse(path.read_bytes())
            except (SyntaxError, ValueError):
                continue


def _python_files(root: str, folder: str = "") -> Iterator[tuple[str, int]]:
    """Yield the path below `root` and the size of every Python file in a folder.

    What cannot be read is left out: the catalogue of benchmarks asks for this, and must load.
    """
    try:
        entries = list(os.scandir(f"{root}/{folder}"))
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(".py"):
            with contextlib.suppress(OSError):
                yield folder + entry.name, entry.stat().st_size
        elif entry.name not in _NO_LIBRARY and entry.is_dir(follow_symlinks=False):
            yield from _python_files(root, f"{folder}{entry.name}/")


_STATEMENTS = (
    "{a} = {b} + {c}",
    "{a} = {f}({b}, {g}({c}))",
    "{a}.{f}({b}, key={c})",
    "if isinstance({a}, {b}):\n        {c} = {f}({a})",
    "for {a} in range(len({b})):\n        {c}.append({b}[{a}])",
    "if {a} == None:\n        return {b}",
    "assert {a} > {n}, 'expected more than {n}'",
    "{a} = [{f}({b}) for {b} in {c} if {b} != {n}]",
    "while {a} < {n}:\n        {a} = {a} + 1",
    "{a} = {{'{b}': {b}, '{c}': {f}({n})}}",
)
_NAMES = [f"name{number}" for number in range(40)]


def generated_source(functions: int = 256, seed: int = 0) -> str:
    """Return functions of simple statements: the same on every machine and version of Python.

    Parameters
    ----------
    functions
        1 or more; each has 12 statements and about 120 nodes.
    seed
        The same arguments give the same text.

    Raises
    ------
    InvalidParameter
        For an argument out of range.
    """
    functions = whole_number("functions", functions, 1, 2**20)
    generator = np.random.PCG64(whole_number("seed", seed, 0, 2**63 - 1))
    lines = []
    for number in range(functions):
        lines.append(f"def function{number}({_NAMES[0]}, {_NAMES[1]}):")
        for draw in generator.random_raw(12).tolist():
            statement = _STATEMENTS[draw % len(_STATEMENTS)]
            a, b, c, f, g = (_NAMES[(draw >> shift) % 40] for shift in (8, 16, 24, 32, 40))
            lines.append("    " + statement.format(a=a, b=b, c=c, f=f, g=g, n=(draw >> 48) % 100))
        lines.append("")
    return "\n".join(lines)
