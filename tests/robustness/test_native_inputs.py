"""What native code reads from Python: trees of any shape, right or wrong."""

from __future__ import annotations

import ast
import contextlib
import random
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.stratoswarm.synthesis import decode, encode

KINDS = [
    kind
    for family in (ast.mod, ast.stmt, ast.expr, ast.pattern, ast.comprehension, ast.arguments)
    for kind in (family, *family.__subclasses__())
    if kind.__module__ == "ast" and kind.__name__ not in ("Index", "ExtSlice")
]
LEAVES: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**64,
    10**400,
    1.5,
    float("nan"),
    1j,
    "",
    "\0",
    "\ud800",
    "x" * 10_000,
    b"\xff",
    ...,
    (),
    [],
    {},
    object(),
    ast.Load(),
    ast.Add(),
)
LARGEST = 60


def tree(rng: random.Random, left: list[int]) -> Any:
    """Return a node of any kind, with fields of any kind or without them."""
    left[0] -= 1
    if left[0] < 0 or rng.random() < 0.2:
        return rng.choice(LEAVES)
    if rng.random() < 0.2:
        return [tree(rng, left) for _ in range(rng.randrange(4))]
    kind = rng.choice(KINDS)
    node = kind.__new__(kind)
    for field in node._fields:
        if rng.random() < 0.9:
            setattr(node, field, tree(rng, left))
    return node


@pytest.mark.parametrize("seed", range(20))
def test_any_tree_is_encoded_or_refused(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(100):
        with contextlib.suppress(sp.StratoperfError):
            table = encode(tree(rng, [LARGEST]))
            repr(table)
            decode(table)


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_a_tree_deeper_than_any_stack_is_encoded_or_refused(depth: int) -> None:
    node: ast.expr = ast.Constant(1)
    for _ in range(depth):
        node = ast.UnaryOp(ast.USub(), node)
    with contextlib.suppress(sp.StratoperfError):
        table = encode(ast.Module([ast.Expr(node)], []))
        assert len(table) > depth
        decode(table)
    # Python itself takes such a tree apart level by level only.
    while isinstance(node, ast.UnaryOp):
        node = node.operand
