"""A device finds what the reference and the CPU find, in the same order and with the same work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf import backends
from stratoperf.stratoswarm.synthesis import (
    ANY,
    Expander,
    Matcher,
    NodeTable,
    Pattern,
    Transformer,
    encode,
    match,
    mixed,
    synthetic,
)
from stratoperf.stratoswarm.synthesis.device_operations import large_operation
from synthesis_trees import patterns, table_of, tables
from wording import says

# On a new device every example takes longer, and the fixture is the same for all of them.
relaxed = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@relaxed
@given(tables(), st.lists(patterns(), min_size=1, max_size=6), st.integers(1, 4))
@pytest.mark.usefixtures("device")
def test_random_patterns_match_random_trees_as_in_the_reference_and_on_the_cpu(
    table: NodeTable, wanted: list[Pattern], pass_cells: int
) -> None:
    expected = match(table, wanted, "reference")
    assert match(table, wanted, "cpu").difference(expected) is None
    matcher = Matcher(table, wanted, "cuda", _limits={"pass_cells": pass_cells, "capacity": 3})
    for _ in range(2):
        found = matcher.match()
        assert found.difference(expected) is None
        assert (found.comparisons, found.avoided) == (expected.comparisons, 0)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 2100])
@pytest.mark.usefixtures("device")
def test_sizes_around_cells_are_compared_to_the_last_node(size: int) -> None:
    table = table_of([(row % 3, row % 4, 0, 0) for row in range(size)], roots=size)
    wanted = [
        Pattern(kind=kind, value=value, count=count)
        for kind in (None, "kind0", "kind2")
        for value in (ANY, 1, 3)
        for count in (None, 0, 1)
    ]
    found = match(table, wanted, "cuda")
    assert found.difference(match(table, wanted, "reference")) is None
    assert found.comparisons == size * len(wanted)


@pytest.mark.parametrize("level", synthetic.LEVELS)
@pytest.mark.parametrize("order", ["ascending", "descending", "random"])
def test_all_levels_match_in_any_order_of_threads(
    level: str, order: str, emulated_cuda: Any
) -> None:
    emulated_cuda.set_order(order, 7)
    table = synthetic.corpus(3000, seed=3)
    wanted = synthetic.patterns(level, table, count=40, seed=4)
    found = match(table, wanted, "cuda")
    assert found.difference(match(table, wanted, "cpu")) is None
    assert len(found) >= 40
    assert emulated_cuda.last_failure() == ""


@pytest.mark.parametrize("level", synthetic.LEVELS)
@pytest.mark.usefixtures("device")
def test_more_patterns_than_shared_memory_has_room_for_match(level: str) -> None:
    table = synthetic.corpus(600, seed=1)
    wanted = synthetic.patterns(level, table, count=1500, seed=2)
    found = match(table, wanted, "cuda")
    assert found.difference(match(table, wanted, "cpu")) is None
    assert (np.diff(found.begin.astype(np.int64)) > 0).all()


@pytest.mark.usefixtures("device")
def test_real_source_with_repeated_placeholders_and_lists_matches() -> None:
    table = encode(
        "if x == x: f(x, x, *y)\nfor i in range(len(a)):\n    b[i] = a[i]\n    g(b, a)\n"
    )
    wanted = ["$x == $x", "$f($x, $x, $...rest)", "$x[$i] = $y[$i]", "range(len($x))", "$x"]
    wanted += ["for $i in range(len($xs)): $...body", "missing"]
    found = match(table, wanted, "cuda")
    assert found.difference(match(table, wanted, "reference")) is None
    assert [len(found.of(number)) for number in (0, 1, 2, 3, 4, 5, 6)] == [
        1,
        1,
        1,
        1,
        len(table),
        1,
        0,
    ]


@pytest.mark.usefixtures("device")
def test_auto_takes_the_device() -> None:
    assert Matcher(encode("a"), "a").backend == "cuda"


@pytest.mark.usefixtures("device")
def test_an_empty_corpus_and_no_patterns_are_refused_as_everywhere() -> None:
    with pytest.raises(sp.InvalidParameter, match=says("table:", "no nodes")):
        match(table_of([]), "a", "cuda")
    with pytest.raises(sp.InvalidParameter, match=says("patterns:", "at least one")):
        match(encode("a"), [], "cuda")
    with pytest.raises(sp.InvalidParameter, match=r"^by_kind: .*only for backend 'cpu'"):
        match(encode("a"), "a", "cuda", by_kind=True)


@pytest.mark.usefixtures("device")
def test_what_has_no_device_code_says_which_backends_there_are() -> None:
    for attempt in (
        lambda: Expander("$x", [{"x": "a"}], "cuda"),
        lambda: Transformer(encode("a"), "a", "b", "cuda"),
    ):
        with pytest.raises(sp.BackendUnavailable, match=says("workload", "reference")):
            attempt()
    with pytest.raises(sp.BackendUnavailable, match="the Matcher's own operation"):
        mixed([Matcher(encode("a"), "a", "cuda")])
    assert Expander("$x", [{"x": "a"}]).backend == "cpu"


def measure(operation: sp.Operation) -> sp.Measurement:
    """Take a few samples."""
    return sp.measure(operation, warmup_s=0, max_duration_s=0.3, min_iterations=4, precision=0)


@pytest.mark.usefixtures("device")
def test_a_measured_match_is_verified_and_timed_by_the_device() -> None:
    table = synthetic.corpus(1000)
    matcher = Matcher(table, synthetic.patterns("complex", table, 16), "cuda")
    measured = measure(matcher.operation())
    assert measured.items == matcher.match().comparisons
    assert measured.item_unit == "operations"
    assert measured.verification is not None
    assert measured.verification.checked == 16
    assert measured.device_ns is not None
    assert (measured.device_ns > 0).all()
    assert measured.details["passes"] == 1
    assert measured.details["integer_steps_per_s"] > 0


@pytest.mark.usefixtures("device")
def test_a_large_match_is_verified_by_the_cpu() -> None:
    block = synthetic.corpus(700)
    table = synthetic.repeated(block, 3)
    measured = measure(large_operation(Matcher(table, synthetic.patterns("simple", block), "cuda")))
    assert measured.items == 64 * 2100
    assert measured.verification is not None
    assert measured.verification.checked == 64


@pytest.mark.usefixtures("device")
def test_verification_compares_what_the_timed_loop_found() -> None:
    table = synthetic.corpus(1000)
    value = table.value.copy()
    columns = [table.kind, value, table.count, table.first_child, table.parent, table.layout]
    changed = NodeTable.of(columns, table.vocabulary)
    operation = Matcher(changed, synthetic.patterns("simple", table, 16), "cuda").operation()
    verify = operation.verify
    assert verify is not None
    assert verify() == 0  # nothing ran yet
    operation.verify = None
    measure(operation)
    value[:] = 0  # the reference sees other nodes than the timed loop did
    with pytest.raises(sp.VerificationFailed, match=says("differs", "reference")):
        verify()


@pytest.mark.usefixtures("device")
def test_the_benchmark_is_measured_on_a_device() -> None:
    params = {"level": ["simple", "complex"]}
    run = sp.run("synthesis.match", preset="ci", backend="cuda", params=params, duration_s=0.1)
    assert [result.status for result in run.results] == ["ok"] * 2
    for result in run.results:
        assert set(result.metrics) == {"latency", "throughput", "device_time"}
        assert result.metrics["throughput"].unit == "operations/s"
        assert (result.metrics["throughput"].target is not None) is True


@pytest.mark.parametrize("resident", [False, True])
def test_a_kernel_that_found_nothing_in_the_timed_loop_fails_the_verification(
    resident: bool, emulated_cuda: Any
) -> None:
    table = synthetic.corpus(1000)
    matcher = Matcher(table, synthetic.patterns("simple", table, 16), "cuda")
    operation = large_operation(matcher) if resident else matcher.operation()
    verify, operation.verify = operation.verify, None
    assert verify is not None
    operation.max_iterations = 1
    # An iteration of the warm-up, which has three kernels, is verified by no one.
    emulated_cuda.lose_kernel(after=3)
    sp.measure(operation, warmup_s=0, max_duration_s=60, precision=0)
    with pytest.raises(sp.VerificationFailed, match=says("differs", "reference")):
        verify()


def test_an_integer_rate_that_was_not_counted_is_not_told(emulated_cuda: Any) -> None:
    rate = backends.cuda_module().integer_rate
    emulated_cuda.lose_kernel(after=5)
    with pytest.raises(sp.StratoperfError, match=r"^integer_rate: the device counted .* words"):
        rate.steps_per_second()
    assert rate.steps_per_second() > 0
    operation = sp.Operation(rate.operation()[0])
    emulated_cuda.lose_kernel()
    with pytest.raises(sp.VerificationFailed, match=r"the device counted .* words, there are"):
        measure(operation)


def test_what_the_samples_left_is_verified_before_device_times_overwrite_it(
    emulated_cuda: Any,
) -> None:
    verified_after: list[int] = []

    def verify() -> int:
        verified_after.append(emulated_cuda.statistics()["kernels"])
        return 1

    capsule, _ = backends.cuda_module().integer_rate.operation()
    measured = measure(sp.Operation(capsule, verify=verify))
    assert measured.device_ns is not None
    samples, device_times = verified_after
    assert samples < device_times


@pytest.mark.usefixtures("device")
def test_the_integer_rate_is_measured_and_every_count_is_right() -> None:
    (result,) = sp.run("gpu.integer_rate", preset="ci", backend="cuda", duration_s=0.1).results
    assert result.status == "ok"
    assert result.item_unit == "steps"
    assert result.verification is not None
    assert result.verification.passed
    assert result.verification.checked > 0
