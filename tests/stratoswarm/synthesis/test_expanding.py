"""Templates filled with bindings."""

from __future__ import annotations

import ast
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratoperf as sp
from repetitions import repetitions
from stratoperf.stratoswarm.synthesis import Expander, Template, expand
from wording import says

BACKENDS = ["cpu", "reference"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("template", "bindings", "expected"),
    [
        ("$a * $b", {"a": "1 + 2", "b": "x"}, "(1 + 2) * x"),
        ("$a.real", {"a": "1"}, "(1).real"),
        ("f($a, $b)", {"a": "x if y else z", "b": "1, 2"}, "f(x if y else z, (1, 2))"),
        ("f(-$a)", {"a": "b ** c"}, "f(-(b ** c))"),
        ("f($...xs, 1)", {"xs": []}, "f(1)"),
        ("f($...xs, 1)", {"xs": ["*a", "b"]}, "f(*a, b, 1)"),
        ("f(0, $...xs)", {"xs": []}, "f(0)"),
        ("f(0, $...xs)", {"xs": ["a", "k=b", "**c"]}, "f(0, a, k=b, **c)"),
        ("f($...xs)", {"xs": []}, "f()"),
        ("[$...xs, $x]", {"xs": ["a"], "x": "yield"}, "[a, (yield)]"),
        ("$x", {"x": "a + b"}, "a + b"),
        ("lambda: ($x)", {"x": "a := b"}, "lambda: ((a := b))"),
        ("$o.$name = $v", {"o": "self", "name": "x", "v": "1"}, "self.x = (1)"),
        ("'$x' + $x  # $x", {"x": "a"}, "'$x' + a  # $x"),
        ("pass", {}, "pass"),
    ],
)
def test_a_template_is_filled(
    template: str, bindings: dict[str, Any], expected: str, backend: str
) -> None:
    assert expand(template, bindings, backend) == expected


@pytest.mark.parametrize("backend", BACKENDS)
def test_statements_are_indented_and_strings_keep_their_lines(backend: str) -> None:
    template = "def f():\n    try:\n        $...body\n    finally:\n        $last"
    body = ["if a:\n    b", "c = '''x\n  y'''"]
    source = expand(template, {"body": body, "last": "while d:\n    e"}, backend)
    assert source == (
        "def f():\n    try:\n        if a:\n            b\n        c = '''x\n  y'''\n"
        "    finally:\n        while d:\n            e"
    )
    assert expand("if a:\n    $...body", {"body": []}, backend) == "if a:\n    pass"


def test_parameters_are_one_text() -> None:
    template = "def $f($...p): $x"
    assert expand(template, {"f": "g", "p": "a, *, b=1", "x": "a"}) == "def g(a, *, b=1): a"
    assert expand("lambda $...p: 1", {"p": ""}) == "lambda : 1"
    with pytest.raises(sp.InvalidParameter, match=r"^bindings: 'p' is \['a'\], but .* one text"):
        expand(template, {"f": "g", "p": ["a"], "x": "a"})


EXPRESSIONS = [
    "x", "1", "-1", "1.5", "'s'", "b'b'", "None", "a + b", "a ** b", "not a", "a and b", "a < b",
    "a if b else c", "lambda: a", "await a", "(a, b)", "()", "[a]", "{a}", "{a: b}", "a.b", "a[b]",
    "a(b)", "(yield a)", "(a := b)", "[a for b in c]", "(a for b in c)", "f'{a}'", "...",
]  # fmt: skip
TEMPLATES = [
    "$a + $b", "$b ** $a", "-$a", "not $a", "$a.b", "$a[$b]", "$a($b)", "f($a, k=$b)", "[$a, $b]",
    "{$a: $b}", "$a if $b else $a", "lambda: $a", "f(*$a, **$b)", "$a < $b", "$a or $b and $a",
    "($a)", "[$a for x in $b if $a]", "$a @ f($b)[$a:$b]", "(yield $a)", "x = $a, $b",
]  # fmt: skip


class Substitution(ast.NodeTransformer):
    """Puts trees in the place of names: what an expansion must mean."""

    def __init__(self, trees: dict[str, ast.expr]) -> None:
        self.trees = trees

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.trees.get(node.id, node)


@given(st.sampled_from(TEMPLATES), st.sampled_from(EXPRESSIONS), st.sampled_from(EXPRESSIONS))
@settings(max_examples=repetitions(300), deadline=None)
def test_an_expansion_means_the_tree_with_the_bindings_in_place(
    template: str, a: str, b: str
) -> None:
    trees = {f"_{name}_": ast.parse(text, mode="eval").body for name, text in (("a", a), ("b", b))}
    tree = ast.parse(template.replace("$a", "_a_").replace("$b", "_b_"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of calls of constants
        source = expand(template, {"a": a, "b": b}, "cpu")
        assert source == expand(template, {"a": a, "b": b}, "reference")
        assert ast.dump(ast.parse(source)) == ast.dump(Substitution(trees).visit(tree))


@settings(max_examples=repetitions(50), deadline=None)
@given(st.lists(st.lists(st.text(max_size=9), min_size=2, max_size=2), min_size=1, max_size=50))
def test_any_texts_are_copied_as_in_the_reference(texts: list[list[str]]) -> None:
    template = Template.parse("f($a)[$b]")
    bindings = [{"a": repr(a), "b": repr(b)} for a, b in texts]
    ours = Expander(template, bindings, "cpu", threads=2).expand()
    assert ours == Expander(template, bindings, "reference").expand()


def test_many_expansions_are_the_same_on_several_threads() -> None:
    bindings = [{"a": f"x{number}", "b": "y" * (number % 7 + 1)} for number in range(10_000)]
    expected = [f"x{number}({'y' * (number % 7 + 1)})" for number in range(10_000)]
    for threads in (1, 2, 4):
        assert Expander("$a($b)", bindings, "cpu", threads).expand() == expected


@pytest.mark.parametrize(
    ("template", "bindings", "message"),
    [
        ("f($x)", {}, says("bindings:", "$x", "'f($x)'")),
        ("f($name)", {"nam": "a"}, says("bindings:", "$name", "'nam'", "mean")),
        ("f($x)", {"x": ["a"]}, r"^bindings: 'x' is \['a'\], but the template .* takes one text"),
        ("f($...x)", {"x": "a"}, says("bindings:", "'x'", "'a'", "'$...x'", "list")),
        ("f($x)", {"x": 7}, says("bindings:", "'x'", "7")),
        ("f($...x)", {"x": [7]}, r"^bindings: 'x' is \[7\]; expected source"),
        ("f($x)", {"x": "a b"}, says("bindings:", "'f(a b)'", "template")),
        ("f($_)", {"_": "a"}, says("template:", "$_", "'f($_)'")),
        ("f(", {}, r"^template: 'f\(' does not parse"),
        (7, {}, says("template:", "Python", "placeholders")),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(
    template: Any, bindings: dict[str, Any], message: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        expand(template, bindings)


def test_an_expander_needs_bindings() -> None:
    with pytest.raises(sp.InvalidParameter, match=says("bindings:", "least", "mapping")):
        Expander("f($x)", [])


def test_measured_expanding_is_verified() -> None:
    expander = Expander("f($x)", [{"x": "a"}, {"x": "b"}], "cpu")
    measured = sp.measure(expander.operation(), warmup_s=0, max_duration_s=0.05, min_iterations=5)
    assert measured.items == 2
    assert measured.verification is not None
    assert measured.verification.checked == 2
