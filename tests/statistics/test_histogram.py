from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stratoperf.errors import InvalidParameter
from stratoperf.statistics import Histogram, quantile, summarize
from wording import says

VALUES = hnp.arrays(
    np.int64, st.integers(1, 100), elements=st.integers(0, 10**4) | st.integers(0, 10**12)
)


@given(VALUES, st.floats(0, 1), st.integers(1, 5))
def test_quantiles_keep_the_promised_digits(values: np.ndarray, q: float, digits: int) -> None:
    histogram = Histogram(highest=10**12, digits=digits)
    histogram.record_many(values)
    exact = float(np.quantile(values, q))
    assert abs(histogram.quantile(q) - exact) <= 10.0**-digits * exact + 1e-6
    assert histogram.count == len(histogram) == len(values)
    assert (histogram.min, histogram.max) == (values.min(), values.max())


@given(VALUES, VALUES)
def test_merging_equals_recording_both(first: np.ndarray, second: np.ndarray) -> None:
    merged, other, both = Histogram(), Histogram(), Histogram()
    merged.record_many(first)
    other.record_many(second)
    both.record_many(np.concatenate([first, second]))
    merged.merge(other)
    assert pickle.dumps(merged) == pickle.dumps(both)


def test_an_estimate_holds_that_of_the_samples() -> None:
    samples = np.rint(np.random.default_rng(1).lognormal(10, 1, 5000))
    histogram = Histogram()
    histogram.record_many(samples)
    for q in (0.5, 0.95, 0.999):
        ours, exact = histogram.estimate(q), quantile(samples, q)
        assert ours.value == pytest.approx(exact.value, rel=1e-3)
        assert (ours.high is None) == (exact.high is None)
        assert ours.low is not None
        assert exact.low is not None
        assert exact.low * 0.999 <= ours.low <= exact.low
        if ours.high is not None and exact.high is not None:
            assert exact.high <= ours.high <= exact.high * 1.001
    assert "histogram" in histogram.estimate(0.5).method


def test_its_summary_is_that_of_the_samples_within_its_digits() -> None:
    samples = np.rint(np.append(np.random.default_rng(2).normal(1e6, 1e4, 2000), [2e6, 1e7]))
    histogram = Histogram(digits=5)
    histogram.record_many(samples)
    ours, exact = histogram.summary(), summarize(samples)
    assert (ours.count, ours.min, ours.max) == (exact.count, exact.min, exact.max)
    assert ours.mean == pytest.approx(exact.mean, rel=1e-5)
    assert ours.stdev == pytest.approx(exact.stdev, rel=1e-3)
    assert ours.outliers.count == exact.outliers.count
    assert ours.outliers.mean == pytest.approx(exact.outliers.mean, rel=1e-5)
    assert ours.outliers.stdev == pytest.approx(exact.outliers.stdev, rel=1e-3)
    assert ours.p99.value == pytest.approx(exact.p99.value, rel=1e-5)


def test_one_value_makes_a_summary_too() -> None:
    histogram = Histogram()
    histogram.record(7)
    summary = histogram.summary()
    assert (summary.mean, summary.stdev, summary.p50.value) == (7, None, 7)
    assert summary.p50.low is None
    assert summary.outliers.count == 0


def test_overflow_stays_in_the_count_the_maximum_and_the_quantiles() -> None:
    histogram = Histogram(highest=1000)
    histogram.record_many(np.repeat([100, 5000], [60, 40]))
    assert (histogram.count, histogram.overflow, histogram.max) == (100, 40, 5000)
    assert histogram.quantile(0.5) == 100
    assert histogram.quantile(0.9) == 1000
    estimate = histogram.estimate(0.9)
    assert (estimate.low, estimate.high) == (1000, 5000)
    filled = histogram.buckets()
    assert [filled.low.tolist(), filled.high.tolist(), filled.count.tolist()] == [
        [100],
        [100],
        [60],
    ]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64, np.float32, np.float64])
def test_every_kind_of_number_can_be_recorded(dtype: type) -> None:
    histogram = Histogram()
    histogram.record_many(np.arange(101, dtype=dtype))
    histogram.record_many(np.arange(202, dtype=dtype)[::2])
    assert (histogram.count, histogram.min, histogram.max) == (202, 0, 200)
    histogram.reset()
    assert (histogram.count, histogram.min, histogram.max) == (0, None, None)


def test_single_values_are_rounded_and_may_be_huge() -> None:
    histogram = Histogram()
    for value in (3, np.int64(3), 2.6, 2**70):
        histogram.record(value)
    assert histogram.count == 4
    assert histogram.overflow == 1
    assert histogram.buckets().low.tolist() == [3]


@pytest.mark.parametrize("bad", [-1, -0.5, float("nan"), float("inf")])
def test_a_bad_value_is_refused_and_nothing_is_recorded(bad: float) -> None:
    histogram = Histogram()
    with pytest.raises(InvalidParameter, match=says("finite", "negative")):
        histogram.record(bad)
    with pytest.raises(InvalidParameter, match=r"at index 1; nothing was recorded"):
        histogram.record_many([1, bad])
    assert histogram.count == 0


@pytest.mark.parametrize("bad", [[[1, 2]], 5, [True], ["x"]])
def test_arrays_of_another_shape_or_type_are_refused(bad: Any) -> None:
    with pytest.raises(InvalidParameter, match=r"^values: expected"):
        Histogram().record_many(bad)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"lowest": 0}, "lowest"),
        ({"lowest": -3}, "lowest"),
        ({"highest": 2**64}, "highest"),
        ({"highest": 1}, "highest"),
        ({"digits": 0}, "digits"),
        ({"digits": 6}, "digits"),
    ],
)
def test_an_impossible_range_is_refused(arguments: dict[str, int], name: str) -> None:
    with pytest.raises(InvalidParameter, match=f"^{name}: "):
        Histogram(**arguments)


def test_merging_what_does_not_fit_is_refused_and_adds_nothing() -> None:
    small, large, coarse = Histogram(highest=1000), Histogram(), Histogram(digits=1)
    small.record(10)
    large.record(100_000)
    coarse.record(99_999)
    with pytest.raises(InvalidParameter, match=says("highest", "least")):
        small.merge(large)
    with pytest.raises(InvalidParameter, match="no more digits"):
        large.merge(coarse)
    large.merge(small)
    assert (small.count, large.count) == (1, 2)


def test_an_empty_histogram_says_so() -> None:
    empty = Histogram()
    for call in (lambda: empty.quantile(0.5), lambda: empty.mean, empty.summary):
        with pytest.raises(InvalidParameter, match="at least 1 recorded value"):
            call()
    with pytest.raises(InvalidParameter, match=r"^q: "):
        empty.quantile(2)


def test_copies_and_pickles_are_equal_and_independent() -> None:
    histogram = Histogram(lowest=2, highest=10**6, digits=2)
    histogram.record_many([1, 50, 10**7])
    for twin in (
        copy.copy(histogram),
        copy.deepcopy(histogram),
        pickle.loads(pickle.dumps(histogram)),
    ):
        assert type(twin) is Histogram
        assert repr(twin) == repr(histogram)
        assert twin.summary() == histogram.summary()
        twin.record(1)
        assert twin.count == histogram.count + 1


def test_memory_depends_on_the_range_alone() -> None:
    histogram = Histogram()
    before = histogram.memory_bytes
    histogram.record_many(np.arange(100_000))
    assert histogram.memory_bytes == before < 300_000


def test_threads_may_record_at_once() -> None:
    histogram = Histogram()
    values = np.arange(200_000)

    def work() -> None:
        for _ in range(5):
            histogram.record_many(values)
            histogram.record(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert histogram.count == 4 * 5 * (len(values) + 1)
    assert int(histogram.buckets().count.sum()) == histogram.count
