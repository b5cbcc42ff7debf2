"""Encoding loses nothing: every file of the standard library comes back as an equal tree."""

from __future__ import annotations

import ast
import hashlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratoperf as sp
from repetitions import repetitions
from stratoperf.stratoswarm.synthesis import (
    NodeTable,
    Vocabulary,
    corpora,
    decode,
    encode,
    encode_all,
)
from stratoperf.stratoswarm.synthesis.encoding import decode_tree
from stratoperf.stratoswarm.synthesis.table import COLUMNS, NONE
from synthesis_trees import table_of, tables
from wording import says

# Every 40th file always, all of them where slow tests run.
EVERY = 40

SOURCES = {
    "numbers of equal value": "a = [1, 1.0, True, 1j, 1e400, 0, 0.0, False, 0j]",
    "strings": "a = ['x', b'x', u'x', '\\ud800', 'it\\'s', '''two\nlines''']",
    "a name, an attribute and a constant with one text": "x = x.x('x', x='x')",
    "chained comparisons": "a < b <= c is not d not in e",
    "gaps in lists": "{**a, 'b': 1, **c}\ndef f(*, a, b=1, c): pass",
    "parameters of all kinds": "def f(a, /, b: int = 1, *c, d, e=2, **g) -> None: ...",
    "targets": "(a, [b, *c]), d.e, f[0] = x\ndel g, (h.i, j[1:2:3])\nfor k.l in m: pass",
    "names": "global a, b\nimport c as d, e.f\nfrom .. import g\nfrom .h import i as j",
    "f-strings": "f'{a!r:>{b}} {{}} {c=}'",
    "comprehensions": "[a async for a in b if c if d]\n{e: f for e, f in g}\n(h for h in i)",
    "match": (
        "match a:\n case {'x': b, **c}: pass\n case D(1, e=f): pass\n"
        " case [g, *_] | None: pass\n case -1 | 2j as h if h: pass\n case _: pass"
    ),
    "functions": "@a\n@b(1)\nasync def f():\n await g\n yield\n return (yield from h)",
    "exceptions": "try: a\nexcept (B, C) as d: raise E from d\nelse: f\nfinally: g",
    "precedence": "-(a ** -b), not (a or b) and c, (a if b else c) if d else e, (f := 1)",
    "nothing": "",
    "a docstring": "def f():\n  '''a\n  b\\n'''",
}


def assert_lossless(tree: ast.AST) -> None:
    table = encode(tree)
    text = ast.dump(tree)
    assert ast.dump(decode_tree(table)) == text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = ast.parse(decode(table))
    assert ast.dump(again) == text


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_source_comes_back_as_an_equal_tree(source: str) -> None:
    assert_lossless(ast.parse(source))


def library_trees(every: int) -> Iterator[tuple[Path, ast.AST]]:
    for path in corpora.standard_library_files()[::every]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield path, ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue  # some files of Python's own tests are meant not to parse


def test_a_sample_of_the_standard_library_comes_back() -> None:
    count = 0
    for _, tree in library_trees(EVERY):
        assert_lossless(tree)
        count += 1
    assert count > 3


@pytest.mark.slow("encodes and decodes a tenth of the standard library in Python")
@pytest.mark.timeout(900)
def test_a_tenth_of_the_standard_library_comes_back() -> None:
    count = 0
    for path, tree in library_trees(10):
        try:
            assert_lossless(tree)
        except AssertionError:
            pytest.fail(f"{path} changes")
        count += 1
    assert count > 50


def test_children_are_neighbors_in_level_order() -> None:
    table = encode("f(a, b)")
    names = [table.vocabulary.kinds[kind] for kind in table.kind]
    assert names == ["Module", "Expr", "Call", "Name", "Name", "Name"]
    assert table.parent.tolist() == [NONE, 0, 1, 2, 2, 2]
    assert table.count.tolist() == [1, 1, 3, 0, 0, 0]
    assert list(table.children(2)) == [3, 4, 5]
    assert list(table.subtree(1)) == [1, 2, 3, 4, 5]
    assert [table.describe(row) for row in (3, 4)] == [("Name", "f"), ("Name", "a")]
    assert table.roots.tolist() == [0]
    assert repr(table) == "<NodeTable: 6 nodes in 1 trees>"


def test_values_are_equal_only_when_constants_are() -> None:
    table = encode("1, 1.0, True, 1j, 0.0, -0.0, 'a', b'a', a, 1, 'a'")
    values = [int(table.value[row]) for row in table.children(2)]
    one, one_float, true, one_complex, zero, minus, text, data, name, again, text_again = values
    assert len({one, one_float, true, one_complex, zero, text, data}) == 7
    assert (one, text) == (again, text_again)
    assert name == text  # the same word; the type of the node tells them apart
    assert table.describe(table.children(2)[5])[0] == "UnaryOp"
    assert minus != zero


def test_a_shared_vocabulary_gives_the_same_numbers() -> None:
    vocabulary = Vocabulary()
    first, second = (encode("f(x, 1)", vocabulary) for _ in range(2))
    for column in COLUMNS:
        assert np.array_equal(getattr(first, column), getattr(second, column))
    assert first.difference(second) is None
    other = encode("f(x, 2)", vocabulary)
    assert "value[5]" in str(other.difference(first))
    assert "('Constant', 2" in str(encode("f(x, 2)").difference(first))
    assert "Vocabulary: " in repr(vocabulary)


def test_several_sources_stand_one_after_the_other() -> None:
    table = encode_all(["a", "b + c", ast.parse("d")])
    assert table.roots.tolist() == [0, 3, 8]
    assert [decode(table, row) for row in table.roots.tolist()] == ["a", "b + c", "d"]
    assert table.tree_ranges() == [range(3), range(3, 8), range(8, 11)]


def test_a_node_of_a_tree_can_be_encoded_and_decoded_alone() -> None:
    call = ast.parse("f(x)", mode="eval").body
    assert decode(encode(call)) == "f(x)"
    table = encode("a = f(x)")
    assert decode(table, 3) == "f(x)"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs the syntax of Python 3.12")
def test_nodes_of_later_versions_come_back() -> None:
    assert_lossless(ast.parse("type A[T: int, *Ts, **P] = list[T]\ndef f[T](): pass"))


@settings(max_examples=repetitions(50), deadline=None)
@given(tables())
def test_tables_of_any_shape_are_accepted_and_equal_themselves(table: NodeTable) -> None:
    rows = sorted(row for root in table.roots.tolist() for row in table.subtree(root))
    assert rows == list(range(len(table)))
    assert table.difference(table) is None
    assert len(table.digest()) == 16


@settings(max_examples=repetitions(50), deadline=None)
@given(tables(max_size=40), st.data())
def test_a_table_whose_trees_do_not_fit_together_is_refused(
    table: NodeTable, data: st.DataObject
) -> None:
    columns = {name: getattr(table, name).copy() for name in COLUMNS}
    name = data.draw(st.sampled_from(["count", "first_child", "parent"]))
    row = data.draw(st.integers(0, len(table) - 1))
    if name == "first_child" and columns["count"][row] == 0:
        return  # means nothing for a leaf
    columns[name][row] ^= np.uint32(data.draw(st.sampled_from([1, 2, 2**30])))
    with pytest.raises(sp.InvalidParameter, match=r"^(first_child|parent): "):
        NodeTable(**columns, vocabulary=table.vocabulary)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": [1, 2]}, says("kind:", "one-dimensional", "list", "convert")),
        ({"kind": np.zeros(2, np.int64)}, r"^kind: .* got dtype int64"),
        ({"value": np.zeros((2, 1), np.uint32)}, r"^value: .* got 2 dimensions"),
        ({"count": np.zeros(4, np.uint32)[::2]}, r"^count: .* not contiguous"),
        ({"layout": np.zeros(3, np.uint32)}, says("layout:", "kind (2)", "got 3")),
        ({"kind": np.array([0, 9], np.uint32)}, says("kind:", "1", "9", "4")),
        ({"value": np.array([9, 0], np.uint32)}, r"^value: row 0 has 9"),
        ({"layout": np.array([0, 99], np.uint32)}, r"^layout: row 1 has 99"),
        ({"vocabulary": {}}, r"^vocabulary: expected a Vocabulary, got dict"),
    ],
)
def test_a_wrong_column_is_named(changed: dict[str, object], message: str) -> None:
    table = table_of([(0, 0, 1, 0), (1, 0, 0, 0)])
    columns = {name: getattr(table, name) for name in COLUMNS}
    arguments = {**columns, "vocabulary": table.vocabulary, **changed}
    with pytest.raises(sp.InvalidParameter, match=message):
        NodeTable(**arguments)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a = (", says("source:", "line 1", "'('")),
        (b"\xff\xfe", says("source:", "parse")),
        ("a\0b", says("source:", "parse")),
        (7, says("source:", "Python", "source")),
        (ast.Constant(cast(Any, {})), says("source:", "holds", "value")),
        (ast.Load(), r"^tree: expected nodes of the module ast, got (ast.)?Load"),
        (ast.Return(cast(Any, "text")), says("tree:", "nodes", "module")),
        (
            ast.Module(body=cast(Any, "text"), type_ignores=[]),
            says("tree:", "list", "nodes"),
        ),
    ],
)
def test_source_that_does_not_parse_and_wrong_trees_are_refused(source: str, message: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        encode(source)


def test_an_empty_corpus_is_refused() -> None:
    with pytest.raises(sp.InvalidParameter, match=says("sources:", "least", "source")):
        encode_all([])


@pytest.mark.parametrize(
    ("table", "row", "message"),
    [
        (encode("a"), 3, r"^row: expected 0 to 2, got 3"),
        (encode_all(["a", "b"]), None, says("row:", "2 trees", "table.roots")),
        (table_of([(0, 0, 0, 0)]), None, says("table:", "Python's", "nodes")),
        ("a", None, r"^table: expected a NodeTable, got str"),
    ],
)
def test_what_has_no_source_is_not_decoded(table: NodeTable, row: int | None, message: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        decode(table, row)


def test_a_tree_far_deeper_than_the_stack_is_encoded() -> None:
    node: ast.expr = ast.Name("a", ast.Load())
    for _ in range(50_000):
        node = ast.Await(node)
    assert len(encode(node)) == 50_001
    while isinstance(node, ast.Await):  # not left to a destructor that calls itself
        node = node.value


def test_the_digest_of_the_library_names_the_version() -> None:
    digest = corpora.standard_library_digest()
    assert digest.startswith(".".join(map(str, sys.version_info[:3])) + "-")


def test_a_python_without_its_library_as_files_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path / "missing"))
    with pytest.raises(sp.PrerequisiteMissing, match=says("Python", "standard")):
        corpora.standard_library_files()
    assert corpora.standard_library_digest.__wrapped__() != corpora.standard_library_digest()


def test_only_readable_files_of_the_library_itself_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.py", "b.txt", "pack/c.py", "site-packages/d.py", "pack/__pycache__/e.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    files = corpora.standard_library_files()
    assert [str(path.relative_to(tmp_path)) for path in files] == ["a.py", "pack/c.py"]


def test_generated_source_is_the_same_everywhere() -> None:
    source = corpora.generated_source(2, seed=1)
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == "c9bfe747612471d5"
    assert source != corpora.generated_source(2, seed=2)


@pytest.mark.parametrize("method", ["children", "subtree", "describe"])
@pytest.mark.parametrize("row", [-1, 3, 2**63, 2**64, 1.0, "1", None, True, np.int64(-1)])
def test_a_row_that_is_not_in_the_table_is_refused(method: str, row: Any) -> None:
    table = encode("x")
    assert len(table) == 3
    with pytest.raises(sp.InvalidParameter, match=r"^row: expected (0 to 2|an integer), got "):
        getattr(table, method)(row)
    assert list(table.subtree(cast("int", np.uint8(0)))) == [0, 1, 2]


@pytest.mark.parametrize("method", ["children", "subtree", "describe"])
def test_an_empty_table_has_no_rows(method: str) -> None:
    empty = NodeTable.of([np.zeros(0, np.uint32)] * len(COLUMNS), Vocabulary())
    with pytest.raises(sp.InvalidParameter, match=r"^row: .* no rows, got 0"):
        getattr(empty, method)(0)
