"""What becomes of each hit of a rewriting is told, and true."""

from __future__ import annotations

import ast
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratoperf as sp
from repetitions import repetitions
from stratoperf.stratoswarm.synthesis import (
    Pattern,
    RewrittenTable,
    Transformer,
    encode,
    match,
    transform,
)
from synthesis_trees import STATEMENTS
from wording import says

BACKENDS = ["cpu", "reference"]


def expected_rows(new: RewrittenTable) -> tuple[list[int], list[int], list[int]]:
    """Return the rows that are replaced, left alone, and dropped."""
    return new.replaced.tolist(), new.left_alone.tolist(), new.dropped.tolist()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("source", "pattern", "template", "expected"),
    [
        ("a + f(1)", "f($x)", "g($x)", (1, 0, 0)),
        ("f'{f(1)}' + f(2)", "f($x)", "g($x)", (1, 1, 0)),
        ("self.a = self.b", "self.$x", "get($x)", (1, 1, 0)),
        ("match 1:\n case 1 | {1: 2}: 1", "1", "one", (2, 2, 0)),
        # Within what a placeholder stands for: replaced where the template has the placeholder.
        ("f(f(f(a)))", "f($x)", "g($x)", (3, 0, 0)),
        ("f(f(f(a)))", "f($x)", "g(0)", (1, 0, 2)),
        ("f(f(f(a)))", "f($_)", "g(0)", (1, 0, 2)),
        ("f(f(a), f(b))", "f($x, $y)", "g($y)", (1, 0, 0)),
        ("f(f(a, a), f(b, f(c, d)))", "f($x, $y)", "g($y)", (3, 0, 1)),
        ("f(f(a), f(b))", "f($...xs)", "g($...xs)", (3, 0, 0)),
        ("f(a, f(b))", "f($x, $...xs)", "g($x)", (1, 0, 1)),
        # Twice what is there once; once what is there twice.
        ("f(f(a))", "f($x)", "$x + $x", (2, 0, 0)),
        ("f(a) == f(a) == (f(a) == f(a))", "$x == $x", "same($x)", (1, 0, 0)),
        ("f(a == a) == f(a == a)", "$x == $x", "same($x)", (2, 0, 1)),
        # In an f-string that goes, or stays.
        ("f(f'{f(1)}')", "f($x)", "g(0)", (1, 0, 1)),
        ("f(f'{f(1)}')", "f($x)", "g($x)", (1, 1, 0)),
        ("a", "f($x)", "g($x)", (0, 0, 0)),
    ],
)
def test_hits_are_replaced_left_alone_or_dropped(
    source: str, pattern: str, template: str, expected: tuple[int, int, int], backend: str
) -> None:
    table = encode(source)
    new = transform(table, pattern, template, backend)
    rows = expected_rows(new)
    assert tuple(map(len, rows)) == expected
    assert sorted(chain(*rows)) == match(table, pattern).node.tolist()
    assert new.replaced.dtype == new.left_alone.dtype == new.dropped.dtype == np.uint32


@given(
    st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=4),
    st.sampled_from(["f($x)", "f(f($x))", "f($...xs)", "f($_)"]),
    st.booleans(),
)
@settings(max_examples=repetitions(300), deadline=None)
def test_the_result_has_as_many_new_and_old_calls_as_are_told(
    statements: list[str], pattern: str, keeps: bool
) -> None:
    argument = pattern[pattern.index("$") : pattern.index(")")] if keeps else "0"
    template = f"new({argument if argument != '$_' else '0'})"
    table = encode("\n".join(statements))
    rows = []
    for backend in BACKENDS:
        try:
            new = transform(table, pattern, template, backend)
        except sp.InvalidParameter:
            return  # such as a slice or a starred expression where none can stand
        rows.append(expected_rows(new))
        assert len(match(new, "new($...x)")) == len(new.replaced)
        if pattern != "f(f($x))":  # which a replaced call within may make no match any more
            assert len(match(new, pattern)) == len(new.left_alone)
    assert rows[0] == rows[1]
    assert sorted(chain(*rows[0])) == match(table, pattern).node.tolist()


def test_a_transformer_tells_its_hits() -> None:
    transformer = Transformer(encode("f'{f(1)}' + f(2)"), "f($x)", "g($x)", "cpu")
    assert "1 replaced and 1 left alone" in repr(transformer)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_result_can_be_rewritten_again(backend: str) -> None:
    once = transform(encode("f(f(a))"), "f($x)", "g($x)", backend)
    again = transform(once, "g($x)", "f($x)", backend)
    assert len(again.replaced) == 2
    assert again.difference(encode(ast.parse("f(f(a))"))) is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_would_be_replaced_within_itself_for_ever_is_refused(backend: str) -> None:
    pattern = Pattern(kind="Call", name="x")
    with pytest.raises(sp.InvalidParameter, match=says("template:", "$x")):
        transform(encode("f(f(a))"), pattern, "g($x)", backend)
    assert len(transform(encode("f(f(a))"), pattern, "g", backend).dropped) == 1
