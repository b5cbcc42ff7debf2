"""Tables rewritten with templates."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.stratoswarm.benchmarks.single_node.synthesis import REWRITES
from stratoperf.stratoswarm.synthesis import (
    NodeTable,
    Pattern,
    Transformer,
    corpora,
    decode,
    encode,
    encode_all,
    match,
    transform,
)
from synthesis_trees import table_of
from wording import says

BACKENDS = ["cpu", "reference"]

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
        ("import $x", "from . import $x", "import a as b", "from . import a as b"),
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
        ("f($x)", "g($...x)", says("template:", "'$...x'", "pattern")),
        ("f($...x)", "g($x)", says("template:", "$x", "$...x")),
        (
            "f($x)",
            "$x.$x",
            says("template:", "$x", "expression"),
        ),
        ("if $c: $s", "f($s)", says("template:", "$s", "statement")),
        ("f($x)", "return $x", says("template:", "'return $x'", "statement")),
        ("$x", "f($x)", says("pattern:", "'$x'", "matches")),
        ("f($x)", "g($_)", says("template:", "$_", "'g($_)'")),
        ("f($x)", "g(", r"^template: 'g\(' does not parse"),
        ("f($x)", 7, says("template:", "source", "int")),
        (7, "a", says("pattern:", "Pattern", "Python")),
        ("f($...x)", "g($...x, k=1)", says("template:", "'$...'", "arguments")),
        ("f($x, $...y)", "$x = 1", says("template:", "'$x = 1'", "statement")),
        ("$x = f($y, k=1)", "$y = $x", says("template:", "'$y = $x'", "0")),
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
        (table_of([(0, 0, 0, 0)]), says("table:", "Python's", "nodes")),
    ],
)
def test_a_table_that_cannot_be_rewritten_is_refused(table: Any, message: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        Transformer(table, "f($x)", "$x")


def test_a_pattern_made_by_hand_can_be_replaced() -> None:
    pattern = Pattern(kind="BinOp", count=2, children=(Pattern(name="x"), Pattern()))
    assert decode(transform(encode("a + b"), pattern, "f($x)")) == "f(a)"


def test_measured_rewriting_is_verified() -> None:
    table = encode(SOURCE)
    operation = Transformer(table, "isinstance($x, $y)", "type($x) is $y", "cpu").operation()
    measured = sp.measure(operation, warmup_s=0, max_duration_s=0.05, min_iterations=5)
    assert measured.items == len(table)
    assert measured.verification is not None
    assert measured.verification.checked == 3


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
    with pytest.raises(sp.VerificationFailed, match=says("differs", "reference")):
        verify()
