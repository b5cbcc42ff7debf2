"""Templates filled with bindings, and tables rewritten with them."""

from __future__ import annotations

import ast
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.benchmarks.single_node.synthesis import REWRITES
from stratoperf.synthesis import (
    Expander,
    NodeTable,
    Pattern,
    Template,
    Transformer,
    corpora,
    decode,
    encode,
    encode_all,
    expand,
    match,
    transform,
)
from synthesis_trees import table_of

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
@settings(max_examples=300, deadline=None)
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


@settings(max_examples=50, deadline=None)
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
        ("f($x)", {}, r"^bindings: \$x of the template 'f\(\$x\)' is unbound; none are known"),
        ("f($name)", {"nam": "a"}, r"^bindings: \$name .* is unbound; did you mean 'nam'"),
        ("f($x)", {"x": ["a"]}, r"^bindings: 'x' is \['a'\], but the template .* takes one text"),
        ("f($...x)", {"x": "a"}, r"^bindings: 'x' is 'a', but .* takes a list there: '\$...x'"),
        ("f($x)", {"x": 7}, r"^bindings: 'x' is 7; expected source, or a list of sources"),
        ("f($...x)", {"x": [7]}, r"^bindings: 'x' is \[7\]; expected source"),
        ("f($x)", {"x": "a b"}, r"^bindings: with them the template becomes 'f\(a b\)', which"),
        ("f($_)", {"_": "a"}, r"^template: \$_ in 'f\(\$_\)' stands for nothing in particular"),
        ("f(", {}, r"^template: 'f\(' does not parse"),
        (7, {}, r"^template: expected Python source with placeholders, got int"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(
    template: Any, bindings: dict[str, Any], message: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        expand(template, bindings)


def test_an_expander_needs_bindings() -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^bindings: expected at least one mapping"):
        Expander("f($x)", [])


SOURCE = """
def f(a, *b, k=1):
    if isinstance(a, str): return a == a
    x = x + 1
    self.foo.bar(1, k=2)
    self.foo = 3
    for i in range(10): print(1)
    g(*b, **k)
    assert x, "no"
    f"{isinstance(a, b)}"
    return isinstance(f(isinstance(1, 2)), int)
"""


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("pattern", "template", "before", "after"),
    [
        ("isinstance($x, $y)", "type($x) is $y", "if isinstance(a, b): c", "if type(a) is b: c"),
        # Within what a placeholder stands for too.
        ("f($x)", "g($x)", "f(f(1) + 2)", "g(g(1) + 2)"),
        ("f($x)", "$x", "f(f(f(1)))", "1"),
        ("f($x)", "$x + $x", "f(f(a))", "a + a + (a + a)"),
        ("$x + $y", "$y * $x", "a + b + c", "c * (b * a)"),
        ("$f($...args)", "call($f, $...args)", "g(*c, k=1, **d)", "call(g, *c, k=1, **d)"),
        ("f($...args)", "f($...args, 0)", "f()\nf(a, b)", "f(0)\nf(a, b, 0)"),
        ("[$...items]", "($...items, None)", "[a, *b]", "(a, *b, None)"),
        ("assert $c, $m", "if not $c:\n    raise E($m)", "assert a, 'b'", "if not a: raise E('b')"),
        ("assert $c", "check($c)", "assert a", "check(a)"),
        ("assert $c", "$c", "assert f(a)", "f(a)"),
        ("print($x)", "$x", "print(a)", "a"),
        ("if $c: $s", "while $c: $s", "if a:\n  if b: c", "while a:\n  while b: c"),
        ("if $c: $s", "$s", "if a:\n  if b: c = d", "c = d"),
        ("assert $c", "if $c:\n    $c", "assert a", "if a:\n    a"),
        (
            "def $f($...p): $...body",
            "async def $f($...p):\n    log($f)\n    $...body",
            "def f(a, *, b=1):\n  def g(): pass",
            "async def f(a, *, b=1):\n  log(f)\n  async def g():\n    log(g)\n    pass",
        ),
        ("self.$a", "$a", "self.b.c(self.d)", "b.c(d)"),
        # Not where only a target can stand, but below one.
        ("self.$a", "get($a)", "self.b = self.c", "self.b = get(c)"),
        ("self.$a", "get($a)", "self.b.d, e[self.f] = c", "get(b).d, e[get(f)] = c"),
        ("self.$a", "get()", "for self.a, (self.b, *self.c) in self.d: pass",
         "for self.a, (self.b, *self.c) in get(): pass"),
        ("self.$a", "get()", "del self.a\nwith self.b as self.c: pass",
         "del self.a\nwith get() as self.c: pass"),
        ("a", "b + 1", "(a := a)\na += a\na: a = a\n[a for a in a]",
         "(a := b + 1)\na += b + 1\na: b + 1 = b + 1\n[b + 1 for a in b + 1]"),
        ("'x'", "y", "f'x{\"x\"}' + 'x'", "f'x{\"x\"}' + y"),
        ("1", "one", "match 1:\n case 1 | {1: 2}: 1", "match one:\n case 1 | {1: 2}: one"),
        ("missing", "other", "a = b", "a = b"),
    ],
)  # fmt: skip
def test_what_a_pattern_matches_becomes_what_the_template_says(
    pattern: str, template: str, before: str, after: str, backend: str
) -> None:
    new = transform(encode(before), pattern, template, backend)
    assert decode(new) == ast.unparse(ast.parse(after))
    assert new.difference(encode(decode(new))) is None


RULES = [
    *REWRITES.values(),
    ("$x == None", "$x is None"),
    ("$f($...args)", "trace($f, $...args)"),
    ("self.$name", "this.$name"),
    ("return $x", "return check($x)"),
    ("if $c: $...body", "while $c:\n    $...body\n    break"),
    ("def $f($...p): $...body", "def $f($...p):\n    enter($f)\n    $...body"),
    ("'$'", "dollar"),
]


@pytest.mark.parametrize(("pattern", "template"), RULES)
def test_real_files_are_rewritten_as_in_the_reference_and_still_parse(
    pattern: str, template: str
) -> None:
    table = encode_all(corpora.parsed(corpora.standard_library_files()[7::300]))
    ours = transform(table, pattern, template, "cpu")
    assert ours.difference(transform(table, pattern, template, "reference")) is None
    for root in ours.roots.tolist():
        source = decode(ours, root)
        assert ast.dump(ast.parse(source)) == ast.dump(ast.parse(ast.unparse(ast.parse(source))))


def test_trees_that_are_mixed_up_are_rewritten_too() -> None:
    apart = encode_all(["f(a)", "b"])
    # The second tree first, then the rows of both alternating: no tree stands alone.
    order = np.array([5, 0, 6, 1, 7, 2, 3, 4])
    place = np.argsort(order)
    columns = {name: getattr(apart, name)[order] for name in ("kind", "value", "count", "layout")}
    parent = np.array([apart.parent[row] for row in order])
    known = parent < len(apart)
    parent[known] = place[parent[known]]
    first = place[np.minimum(apart.first_child[order], len(apart) - 1)]
    mixed = NodeTable(
        **columns,
        first_child=first.astype(np.uint32),
        parent=parent.astype(np.uint32),
        vocabulary=apart.vocabulary,
    )
    assert mixed.tree_ranges() is None
    for backend in BACKENDS:
        new = transform(mixed, "f($x)", "g($x)", backend)
        assert [decode(new, row) for row in new.roots.tolist()] == ["b", "g(a)"]


@pytest.mark.parametrize("level", REWRITES)
def test_rewriting_generated_source_agrees_with_the_reference(level: str) -> None:
    table = encode(corpora.generated_source(20, seed=5))
    pattern, template = REWRITES[level]
    assert len(match(table, pattern)) > 0
    ours = transform(table, pattern, template, "cpu")
    assert ours.difference(transform(table, pattern, template, "reference")) is None


@pytest.mark.parametrize(
    ("pattern", "template", "message"),
    [
        ("f($x)", "g($y)", r"^template: \$y is unbound: the pattern does not have it; did|known"),
        ("f($x)", "g($...x)", r"^template: '\$\.\.\.x' stands for a list, but not in the pattern"),
        ("f($...x)", "g($x)", r"^template: \$x stands for a list in the pattern; write \$\.\.\.x"),
        (
            "f($x)",
            "$x.$x",
            r"^template: \$x stands for an expression in the pattern, but for an id",
        ),
        ("if $c: $s", "f($s)", r"^template: \$s stands for a statement in the pattern, but for an"),
        ("f($x)", "return $x", r"^template: 'return \$x' is a statement and cannot stand where"),
        ("$x", "f($x)", r"^pattern: '\$x' matches every node, so nothing would be left"),
        ("f($x)", "g($_)", r"^template: \$_ in 'g\(\$_\)' stands for nothing in particular"),
        ("f($x)", "g(", r"^template: 'g\(' does not parse"),
        ("f($x)", 7, r"^template: expected source, got int"),
        (7, "a", r"^pattern: expected a Pattern or Python source with placeholders, got int"),
        ("f($...x)", "g($...x, k=1)", r"^template: a '\$\.\.\.' stands for keyword arguments in"),
        ("f($x, $...y)", "$x = 1", r"^template: '\$x = 1' is a statement and cannot stand where"),
        ("$x = f($y, k=1)", "$y = $x", r"^template: with '\$y = \$x' the tree at row 0 has no so"),
    ],
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_rewriting_that_cannot_be_done_is_refused(
    pattern: Any, template: Any, message: str, backend: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        transform(encode("a = f(1 + 2, k=1)"), pattern, template, backend)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("f(1)", r"^table: expected a NodeTable, got str"),
        (table_of([(0, 0, 0, 0)]), r"^table: its nodes are not Python's"),
    ],
)
def test_a_table_that_cannot_be_rewritten_is_refused(table: Any, message: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        Transformer(table, "f($x)", "$x")


def test_a_pattern_made_by_hand_can_be_replaced() -> None:
    pattern = Pattern(kind="BinOp", count=2, children=(Pattern(name="x"), Pattern()))
    assert decode(transform(encode("a + b"), pattern, "f($x)")) == "f(a)"


def test_measured_rewriting_and_expanding_are_verified() -> None:
    table = encode(SOURCE)
    transformer = Transformer(table, "isinstance($x, $y)", "type($x) is $y", "cpu")
    expander = Expander("f($x)", [{"x": "a"}, {"x": "b"}], "cpu")
    for operation, items, checked in (
        (transformer.operation(), len(table), 3),
        (expander.operation(), 2, 2),
    ):
        measured = sp.measure(operation, warmup_s=0, max_duration_s=0.05, min_iterations=5)
        assert measured.items == items
        assert measured.verification is not None
        assert measured.verification.checked == checked


def test_verification_compares_the_table_that_the_timed_loop_made() -> None:
    table = encode(SOURCE)
    columns = [table.kind, table.value.copy(), table.count, table.first_child, table.parent]
    changed = NodeTable.of([*columns, table.layout], table.vocabulary)
    operation = Transformer(changed, "isinstance($x, $y)", "type($x) is $y", "cpu").operation()
    verify, operation.verify = operation.verify, None
    assert verify is not None
    assert verify() == 0  # nothing ran yet
    sp.measure(operation, warmup_s=0, max_duration_s=0.05, min_iterations=3)
    columns[1][len(table) - 1] += 1
    with pytest.raises(sp.VerificationFailed, match="differs from the reference: value"):
        verify()
