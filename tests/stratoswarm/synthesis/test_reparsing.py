"""A rewritten file parses to the tree of its table, or is refused."""

from __future__ import annotations

import ast
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratoperf as sp
from repetitions import repetitions
from stratoperf.stratoswarm.synthesis import decode, encode, encode_all, transform
from synthesis_trees import STATEMENTS
from wording import says

BACKENDS = ["cpu", "reference"]

PATTERNS = ["f($x)", "f(f($x))", "a[$x]", "import $x", "def f($x): pass", "$x ** $y", "f"]
TEMPLATES = [
    "*$x", "*a", "($x, $x)", "(*$x, a)", "a, b", "$x", "(y := $x)", "y := a", "lambda: $x", "yield",
    "(yield $x)", "await $x", "$x if $x else $x", "-$x", "1", "-1", "1j", "$x + 1", "$x ** 2",
    "$x.b", "$x[$x]", "[*$x]", "{**$x}", "not $x", "$x < $x", "'s'", "b'b'", "''", "a if b else c",
    "[$x for y in $x]", "(a for b in c)", "a[$x:1]", "a[*$x]", "f'{a}'", "...", "$x and $x",
    "print($x)",
]  # fmt: skip


@given(
    st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=3),
    st.sampled_from(PATTERNS),
    st.sampled_from(TEMPLATES),
)
@settings(max_examples=repetitions(300), deadline=None)
def test_what_is_not_refused_means_the_table(
    statements: list[str], pattern: str, template: str
) -> None:
    outcomes = []
    for backend in BACKENDS:
        table = encode("\n".join(statements))
        try:
            new = transform(table, pattern, template, backend)
        except sp.InvalidParameter as refused:
            outcomes.append(str(refused))
            continue
        assert new.difference(encode(decode(new))) is None
        outcomes.append(decode(new))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("before", "pattern", "template", "reason"),
    [
        # What is left starred is one element with what follows.
        ("a = f(b) + 1", "f($x)", "*$x", r"'a = \*b \+ 1' is read as Starred where .* BinOp"),
        ("f(*a)", "f($x)", "$x + 1", r"'\*a \+ 1' is read as Starred where the tree has BinOp"),
        ("with f(a):\n    b", "f($x)", "($x, 1)", r"'with \(a, 1\):' is read as withitem where"),
    ],
)
def test_a_template_that_makes_source_of_another_meaning_is_refused(
    before: str, pattern: str, template: str, reason: str, backend: str
) -> None:
    message = rf"^template: with .* no source that means it: {reason}.*; write a template that"
    with pytest.raises(sp.InvalidParameter, match=message):
        transform(encode(before), pattern, template, backend)


def test_the_tree_that_has_no_source_is_named_by_its_row() -> None:
    table = encode_all(["g(f(a))", "f(a) + 1"])
    with pytest.raises(sp.InvalidParameter, match=says("6", "source")):
        transform(table, "f($x)", "*$x")


def test_a_tree_that_grows_too_deep_for_the_parser_is_refused() -> None:
    deep = "f(" * 60 + "a" + ")" * 60
    with pytest.raises(sp.InvalidParameter, match=says("template:", "parse")):
        transform(encode(deep), "f($x)", "g(g(g(g(g($x)))))")


@pytest.mark.parametrize("mode", ["exec", "eval", "single"])
def test_trees_of_every_mode_are_rewritten(mode: str) -> None:
    new = transform(encode(ast.parse("f(a)", mode=mode)), "f($x)", "$x")
    assert decode(new) == "a"


def test_a_statement_and_an_expression_alone_are_rewritten() -> None:
    (statement,) = ast.parse("b = f(a)").body
    assert decode(transform(encode(statement), "f($x)", "($x, 1)")) == "b = (a, 1)"
    assert decode(transform(encode(ast.parse("f(a)", mode="eval").body), "f($x)", "-$x")) == "-a"


def test_comments_of_types_stay() -> None:
    lines = (("a = f(b)", "int"), ("c()", "ignore"))
    source = "\n".join(f"{line}  # type: {comment}" for line, comment in lines)
    tree = ast.parse(source, type_comments=True)
    assert decode(transform(encode(tree), "f($x)", "$x")) == "a = b # type: int\nc()"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs Python 3.11: starred subscripts")
def test_a_starred_subscript_is_a_tuple_and_refused() -> None:
    with pytest.raises(sp.InvalidParameter, match=says("Tuple", "Starred")):
        transform(encode("a[f(b)]"), "f($x)", "*$x")


def test_a_tree_that_had_no_source_before_is_not_blamed_on_the_template() -> None:
    tree = ast.parse("x = 1\ny = f(2)")
    assert isinstance(tree.body[0], ast.Assign)
    tree.body[0].value = ast.Constant(-2)  # source reads it as an operator and its operand
    with pytest.raises(sp.InvalidParameter, match=says("table:", "rewritten", "either")):
        transform(encode(tree), "f($x)", "g($x)")
