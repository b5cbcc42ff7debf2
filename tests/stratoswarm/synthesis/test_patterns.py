"""What patterns written in Python match, and which are refused."""

from __future__ import annotations

import ast
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.stratoswarm.benchmarks.single_node.synthesis import RULES
from stratoperf.stratoswarm.synthesis import (
    Matcher,
    NodeTable,
    Pattern,
    Vocabulary,
    corpora,
    encode,
    encode_all,
    expand,
    match,
)
from synthesis_trees import table_of
from wording import says

SOURCE = """
import os, sys as system

class Base(object, metaclass=Meta):
    def __init__(self, a, *rest, b=1):
        '''a document'''
        self.a = a
        if isinstance(a, str) and a == a:
            return
        print(a, *rest, end='')
        x = x + 1
        x = y + 1
        del a.b

    async def other(self): pass

for i in range(10):
    f(g(1), g(1), g(2))
lambda q: q
lambda q: r
[i for i in i]
a[1:2, b]
"""

# What each pattern finds, in source.
FOUND = {
    "isinstance($x, $y)": ["isinstance(a, str)"],
    "isinstance($x)": [],
    "isinstance($...xs)": ["isinstance(a, str)"],
    "$x == $x": ["a == a"],
    "$x = $x + $n": ["x = x + 1"],
    "$x = $y + $n": ["x = x + 1", "x = y + 1"],
    "$_ = $_ + $_": ["x = x + 1", "x = y + 1"],
    "self.$name": ["self.a"],
    "del $x.$y": ["del a.b"],
    "f($x, $x, $y)": ["f(g(1), g(1), g(2))"],
    "f($x, $y, $y)": [],
    "f($...before, g(2))": ["f(g(1), g(1), g(2))"],
    "f(g(1), $...after)": ["f(g(1), g(1), g(2))"],
    "f(g(1), $...middle, g(2))": ["f(g(1), g(1), g(2))"],
    "f(g(2), $...after)": [],
    "print(a, $...rest)": ["print(a, *rest, end='')"],
    "print(a, *rest, end=$e)": ["print(a, *rest, end='')"],
    "print(a, *rest, $k='')": ["print(a, *rest, end='')"],
    "print($...args, end='')": ["print(a, *rest, end='')"],
    "print(a, *rest)": [],
    "lambda $q: $q": ["lambda q: q"],
    "lambda $...q: $body": ["lambda q: q", "lambda q: r"],
    "a[$from:$to, $x]": ["a[1:2, b]"],
    "a[$from:, $x]": [],
    "[$x for $x in $x]": ["[i for i in i]"],
    "'a document'": ["'a document'"],
    '"a document"  # spelled differently': ["'a document'"],
    "$x and $y": ["isinstance(a, str) and a == a"],
    "return": ["return"],
    "return $x": [],
    "for $i in range($n): $...body": ["for i in range(10):\n    f(g(1), g(1), g(2))"],
    "if $c: $s": ["if isinstance(a, str) and a == a:\n    return"],
    "async def $f(self): $...body": ["async def other(self):\n    pass"],
    "import os, $...others": ["import os, sys as system"],
}


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("pattern", FOUND)
def test_a_pattern_finds_what_it_says(pattern: str, backend: str) -> None:
    assert sorted(match(encode(SOURCE), pattern, backend).sources()) == FOUND[pattern]


def test_a_rest_of_a_class_stands_in_its_bases_or_in_its_body() -> None:
    table = encode(SOURCE)
    assert len(match(table, "class Base(object, metaclass=Meta): $...body")) == 1
    assert (
        len(match(table, "class Base($...bases):\n    $first\n    async def other(self): pass"))
        == 1
    )
    assert len(match(table, "class Other($...bases):\n    $a\n    $b")) == 0


def test_a_dollar_in_a_string_is_a_dollar() -> None:
    table = encode("f('$x')\nf('y')")
    assert list(match(table, "f('$x')").sources()) == ["f('$x')"]
    assert len(match(table, "f($x)")) == 2


def test_bindings_are_the_source_of_what_placeholders_stand_for() -> None:
    table = encode("obj.method(a + b, *c, key=d)\nother.method()")
    found = match(table, "$x.$m($...args)")
    assert [found.bindings(hit) for hit in range(2)] == [
        {"x": "obj", "m": "method", "args": ["a + b", "*c", "key=d"]},
        {"x": "other", "m": "method", "args": []},
    ]
    with pytest.raises(sp.InvalidParameter, match=r"^hit: expected 0 to 1, got 2"):
        found.bindings(2)
    with pytest.raises(sp.InvalidParameter, match=says("hit:", "hits")):
        match(table, "missing").bindings(0)


def test_a_placeholder_names_statements_identifiers_and_parameters() -> None:
    found = match(encode("def f(a, *, b=1):\n    x\n    return f\n"), "def $f($...p): $...body")
    assert found.bindings(0) == {"f": "f", "p": "a, *, b=1", "body": ["x", "return f"]}


def test_an_imported_name_may_have_another_beside_it() -> None:
    found = match(encode("import a as b\nimport c.d\nfrom e import f as g"), "import $x")
    assert len(found) == 2
    assert [found.bindings(hit) for hit in range(2)] == [{"x": "a as b"}, {"x": "c.d"}]
    assert [expand("import $x", found.bindings(hit)) for hit in range(2)] == [
        "import a as b",
        "import c.d",
    ]
    (hit,) = match(encode("from e import f as g"), "from e import $x").sources()
    assert hit == "from e import f as g"


def test_a_comment_of_a_type_is_no_part_of_a_name() -> None:
    tree = ast.parse("def f(a):\n    # type: (int) -> int\n    return a", type_comments=True)
    assert match(encode(tree), "def $f(a): return a").bindings(0) == {"f": "f"}


def test_rules_of_linters_match_real_files_as_in_the_reference() -> None:
    files = corpora.standard_library_files()[::150]
    table = encode_all(corpora.parsed(files))
    expected = Matcher(table, RULES, "reference")._reference(screened=True)
    assert len(expected) > 0
    assert match(table, RULES, "cpu").difference(expected) is None
    assert match(table, RULES, "cpu", threads=2).difference(expected) is None
    small = encode(SOURCE)
    assert match(small, RULES, "cpu").difference(match(small, RULES, "reference")) is None


@pytest.mark.slow("matches the whole standard library in the slow reference")
@pytest.mark.timeout(900)
def test_rules_match_all_of_the_standard_library_as_in_the_reference() -> None:
    table = corpora.standard_library()
    matcher = Matcher(table, RULES, "cpu")
    assert matcher.match().difference(matcher._reference(screened=True)) is None


def test_patterns_compare_and_show_themselves() -> None:
    assert Pattern.parse("f($x)") == Pattern.parse("f( $x )")
    assert Pattern.parse("f($x)") != Pattern.parse("f($y)")
    assert repr(Pattern.parse("f($x)")) == "<Pattern: f($x)>"
    assert repr(Pattern(kind="a", count=2)) == "<Pattern: a/2>"
    assert Pattern.parse("f($x, $_, $...rest)").names == {"x", "rest"}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("f(", r"^pattern: 'f\(' does not parse: '\(' was never closed"),
        ("", says("pattern:", "0", "expression")),
        ("a; b", says("pattern:", "2", "expression")),
        ("f($)", says("text:", "'$'", "character 2", "$name", "write")),
        ("$...xs", says("pattern:", "'$...xs'", "element", "list")),
        ("$...xs + 1", says("pattern:", "'$...xs'", "element", "list")),
        ("f($...a, $...b)", r"^pattern: .* has two '\$\.\.\.' in one Call"),
        ("class A($...b): $...c", r"^pattern: .* has two '\$\.\.\.' in one ClassDef"),
        ("f($...a) + g($...a)", says("pattern:", "'$...a'", "list")),
        ("import $x as y", says("pattern:", "placeholder", "part", "alias")),
        ("global $x", says("pattern:", "placeholder", "Global", "part")),
        ("stratoperf_placeholder_x", r"^pattern: names like stratoperf_placeholder_x are reserved"),
        ("+".join("abcdefghijklmnopqrstuvwxyz" * 3), r"^pattern: at most 64 nodes fit, got"),
        (7, r"^patterns\[0\]: expected a Pattern or Python source .*, got int"),
    ],
)
def test_a_wrong_pattern_is_refused_with_the_reason(pattern: Any, message: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        match(encode("a"), [pattern])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"children": ("f($x)",)}, says("children:", "patterns", "str")),
        ({"children": (Pattern(), Pattern()), "count": 1}, r"^count: 1 is below the 2 children"),
        ({"rest": 1}, r"^rest: expected 0 to 0, got 1"),
    ],
)
def test_a_pattern_that_contradicts_itself_is_refused(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        Pattern(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"table": "a = 1"}, says("table:", "NodeTable", "encode")),
        ({"table": NodeTable.of(
            [table_of([(0, 0, 0, 0)]).kind[:0]] * 6, Vocabulary()
        )}, says("table:", "empty", "corpus")),
        ({"patterns": []}, says("patterns:", "least")),
        ({"patterns": 7}, says("patterns:", "patterns", "int")),
        ({"threads": 0}, r"^threads: expected 1 to 1024, got 0"),
        ({"threads": True}, says("threads:", "True", "integer")),
        ({"by_kind": 1}, r"^by_kind: expected a bool"),
        ({"by_kind": True, "backend": "reference"}, r"^by_kind: .* only for backend 'cpu'"),
        ({"backend": "gpu"}, says("backend:", "'gpu'", "'cuda'")),
        ({"max_bytes": 0}, r"^max_bytes: expected 1 to"),
        ({"_instruction_set": "mmx"}, says("instruction_set:", "'mmx'", "CPU")),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        Matcher(**{"table": encode("a"), "patterns": "a", "backend": "cpu", **arguments})


def test_cuda_is_unavailable_with_the_reason() -> None:
    with pytest.raises(sp.BackendUnavailable, match="CUDA"):
        match(encode("a"), "a", "cuda")


def test_more_patterns_than_memory_are_refused_before_they_fill_it() -> None:
    pattern = Pattern.parse("f($x)")

    def endless() -> Any:
        while True:
            yield pattern

    with pytest.raises(sp.InvalidParameter, match=r"^patterns: \d+ or more do not fit into max_b"):
        Matcher(encode("a"), endless(), max_bytes=100_000)


@pytest.mark.parametrize("threads", [1, 3])
def test_more_hits_than_memory_are_refused(threads: int) -> None:
    table = table_of([(0, 0, 3, 0)] * 20_000)
    wanted = [Pattern()] * 100
    matcher = Matcher(table, wanted, "cpu", threads=threads, max_bytes=64 * 100 + 4 * 1_999_999)
    with pytest.raises(
        sp.InvalidParameter, match=says("patterns:", "1999999 hits", "hits", "max_bytes")
    ):
        matcher.match()
    enough = Matcher(table, wanted, "cpu", threads=threads, max_bytes=64 * 100 + 4 * 2_000_000)
    assert len(enough.match()) == 2_000_000
