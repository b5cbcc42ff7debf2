"""What crosses from native code has a name and a type."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import stratoperf as sp
from stratoperf import _core
from stratoperf.errors import InvalidParameter

PACKAGE = Path(sp.__file__).parent
STUBS = sorted(path for name in ("_core", "_cuda") for path in (PACKAGE / name).glob("*.pyi"))

LONGEST_RESULT = 2
"""Values of a tuple that a function may return: an operation, and where its last outcome is."""

STATES = {"_state"}
"""What is pickled as a tuple."""


def annotated(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield each annotation in a stub, with the name of what it is of."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            yield f"{node.name} returns", node.returns
        elif isinstance(node, ast.arg) and node.annotation is not None:
            yield node.arg, node.annotation
        elif isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target), node.annotation


@pytest.mark.parametrize("path", STUBS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_stubs_have_a_type_for_everything(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    untyped = [
        f"{name}: {ast.unparse(annotation)}"
        for name, annotation in annotated(tree)
        for part in ast.walk(annotation)
        if (isinstance(part, ast.Attribute) and part.attr == "Any")
        or (isinstance(part, ast.Name) and part.id == "Any")
        # Without the types of what they hold.
        or (isinstance(annotation, ast.Name) and annotation.id in ("tuple", "list", "dict"))
    ]
    assert untyped == []


@pytest.mark.parametrize("path", STUBS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_results_have_names(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    positional = [
        f"{node.name} returns {ast.unparse(node.returns)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.returns is not None
        for part in ast.walk(node.returns)
        if isinstance(part, ast.Subscript)
        and ast.unparse(part.value) == "tuple"
        and isinstance(part.slice, ast.Tuple)
        and len(part.slice.elts) > LONGEST_RESULT
        and node.name not in STATES
    ]
    assert positional == []


@pytest.mark.parametrize(
    ("samples", "got"),
    [
        (np.zeros(3, np.float32), "float32"),
        (np.zeros((2, 2)), "2 dimension"),
        (np.zeros(6)[::2], "not contiguous"),
    ],
)
def test_an_array_of_another_kind_is_refused_by_name(samples: npt.NDArray[Any], got: str) -> None:
    with pytest.raises(InvalidParameter, match=f"^samples: .*float64.*{got}.*ascontiguousarray"):
        _core.statistics.mean(samples, 0.95)


@pytest.mark.parametrize("attribute", ["value", "low", "high"])
def test_results_can_be_read_and_not_changed(attribute: str) -> None:
    mean = _core.statistics.mean(np.arange(10.0), 0.95)
    assert mean.low is not None
    assert mean.high is not None
    assert mean.low < mean.value == 4.5 < mean.high
    with pytest.raises(AttributeError):
        setattr(mean, attribute, 1.0)
