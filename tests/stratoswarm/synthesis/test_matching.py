"""Every backend, instruction set, mode and number of threads agrees with the reference."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratoperf as sp
from repetitions import repetitions
from stratoperf._core import synthesis as native
from stratoperf.stratoswarm.synthesis import (
    ANY,
    Matcher,
    NodeTable,
    Pattern,
    encode,
    match,
    synthetic,
)
from synthesis_trees import KINDS, patterns, table_of, tables
from wording import says

INSTRUCTION_SETS = native.instruction_sets()


def test_the_baseline_instruction_set_is_always_there() -> None:
    assert INSTRUCTION_SETS[-1] == "portable"


@settings(max_examples=repetitions(200), deadline=None)
@given(tables(), st.lists(patterns(), min_size=1, max_size=6))
def test_random_patterns_match_random_trees_as_in_the_reference(
    table: NodeTable, wanted: list[Pattern]
) -> None:
    expected = match(table, wanted, "reference")
    for name in INSTRUCTION_SETS:
        found = Matcher(table, wanted, "cpu", _instruction_set=name).match()
        assert found.difference(expected) is None
        assert (found.comparisons, found.avoided) == (expected.comparisons, 0)
        indexed = Matcher(table, wanted, "cpu", by_kind=True, _instruction_set=name).match()
        assert np.array_equal(indexed.node, expected.node)
        assert np.array_equal(indexed.begin, expected.begin)
        assert indexed.comparisons + indexed.avoided == expected.comparisons


@pytest.mark.parametrize("name", INSTRUCTION_SETS)
@pytest.mark.parametrize("size", [1, 63, 64, 65, 2047, 2048, 2049, 4100])
def test_sizes_around_words_and_tiles_are_compared_to_the_last_node(name: str, size: int) -> None:
    nodes = [(row % 3, row % 4, 0, 0) for row in range(size)]
    table = table_of(nodes, roots=size)
    wanted = [
        Pattern(kind=kind, value=value, count=count)
        for kind in (None, "kind0", "kind2")
        for value in (ANY, 1, 3)
        for count in (None, 0, 1)
    ]
    found = Matcher(table, wanted, "cpu", _instruction_set=name).match()
    for number, pattern in enumerate(wanted):
        rows = [
            row
            for row, (kind, value, _, _) in enumerate(nodes)
            if pattern.kind in (None, KINDS[kind])
            and pattern.value in (ANY, value)
            and pattern.count in (None, 0)
        ]
        assert found.of(number).tolist() == rows
    assert found.comparisons == size * len(wanted)


@pytest.mark.parametrize("level", synthetic.LEVELS)
def test_more_patterns_than_a_chunk_and_more_nodes_than_a_tile_agree_with_the_reference(
    level: str,
) -> None:
    table = synthetic.corpus(5000, seed=3)
    wanted = synthetic.patterns(level, table, count=150, seed=4)
    expected = Matcher(table, wanted, "reference")._reference(screened=True)
    assert len(expected) >= 150
    for name in INSTRUCTION_SETS:
        found = Matcher(table, wanted, "cpu", _instruction_set=name).match()
        assert found.difference(expected) is None


def test_threads_find_the_same_in_the_same_order() -> None:
    table = synthetic.corpus()
    wanted = synthetic.patterns("medium", table)
    alone = match(table, wanted, "cpu")
    for by_kind in (False, True):
        matcher = Matcher(table, wanted, "cpu", threads=4, by_kind=by_kind)
        for _ in range(3):
            found = matcher.match()
            assert np.array_equal(found.node, alone.node)
            assert found.comparisons + found.avoided == alone.comparisons


def test_the_screened_reference_is_the_reference() -> None:
    table = synthetic.corpus(700, seed=1)
    for level in synthetic.LEVELS:
        matcher = Matcher(table, synthetic.patterns(level, table, 20), "reference")
        assert matcher._reference(screened=True).difference(matcher.match()) is None


def test_hits_are_ordered_by_pattern_and_then_by_row() -> None:
    table = encode("a = b\nc = b\n")
    found = match(table, ["b", "$x = b", "missing"])
    assert found.pattern.tolist() == [0, 0, 1, 1]
    assert found.begin.tolist() == [0, 2, 4, 4]
    assert sorted(found.of(0).tolist()) == found.of(0).tolist()
    assert list(found.sources()) == ["b", "b", "a = b", "c = b"]
    assert "4 hits of 3 patterns" in repr(found)


def test_one_comparison_is_counted_for_each_pattern_node_that_was_compared() -> None:
    table = encode("f(x)\nf(y)\ng(x)\n")  # Module, 3 Expr, 3 Call, 6 Name
    # Every node with the call, and of the calls the function; then of two the argument.
    assert match(table, "f(x)").comparisons == 13 + 3 + 2
    # What fits anything is not compared.
    assert match(table, "$f($x)").comparisons == 13
    assert match(table, "f($_)").comparisons == 13 + 3


def test_a_matcher_used_by_two_threads_at_once_says_so_and_stays_right() -> None:
    table = synthetic.corpus()
    matcher = Matcher(table, synthetic.patterns("simple", table, 512), "cpu")
    expected = matcher.match()
    refused = 0
    wrong = 0

    def find() -> None:
        nonlocal refused, wrong
        # On one busy CPU they rarely meet.
        while refused < 5 and time.monotonic() < end:
            try:
                wrong += matcher.match().difference(expected) is not None
            except RuntimeError as error:
                refused += "own Matcher" in str(error)

    end = time.monotonic() + 60
    threads = [threading.Thread(target=find) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused > 0
    assert wrong == 0


def test_a_measured_match_is_verified() -> None:
    table = synthetic.corpus(3000)
    matcher = Matcher(table, synthetic.patterns("complex", table, 16), "cpu")
    measured = sp.measure(matcher.operation(), warmup_s=0.01, max_duration_s=0.2, min_iterations=20)
    assert measured.items == matcher.match().comparisons
    assert measured.item_unit == "operations"
    assert measured.verification is not None
    assert measured.verification.checked == 16


@pytest.mark.parametrize("by_kind", [False, True])
def test_verification_compares_what_the_timed_loop_found(by_kind: bool) -> None:
    table = synthetic.corpus(3000)
    value = table.value.copy()
    changed = NodeTable.of(
        [table.kind, value, table.count, table.first_child, table.parent, table.layout],
        table.vocabulary,
    )
    wanted = synthetic.patterns("simple", table, 16)
    operation = Matcher(changed, wanted, "cpu", by_kind=by_kind).operation()
    verify = operation.verify
    assert verify is not None
    assert verify() == 0  # nothing ran yet
    operation.verify = None
    sp.measure(operation, warmup_s=0, max_duration_s=0.05, min_iterations=3)
    value[:] = 0  # the reference sees other nodes than the timed loop did
    with pytest.raises(sp.VerificationFailed, match=says("differs", "reference")):
        verify()


def test_the_synthetic_corpus_is_the_same_everywhere() -> None:
    table = synthetic.corpus()
    assert len(table) == 65_536
    assert table.digest() == "56b6b1c2897645fe"
    assert synthetic.corpus(1).digest() == "3e804dd6bc3f9ea0"
    assert table.digest() != synthetic.corpus(seed=1).digest()
    drawn = [repr(pattern) for pattern in synthetic.patterns("complex", table, 2)]
    assert drawn == [
        "<Pattern: kind17 39/3(kind33, kind48 534/0)>",
        "<Pattern: kind0 602/1(kind19 165/2(kind34 347/0, kind40 213))>",
    ]


@pytest.mark.parametrize("level", synthetic.LEVELS)
def test_every_drawn_pattern_matches_somewhere(level: str) -> None:
    table = synthetic.corpus(20_000)
    found = match(table, synthetic.patterns(level, table), "cpu")
    assert (np.diff(found.begin.astype(np.int64)) > 0).all()
    depth = max(_depth(pattern) for pattern in found.patterns)
    assert depth == synthetic.LEVELS[level]


def _depth(pattern: Pattern) -> int:
    return 1 + max(map(_depth, pattern.children), default=0)
