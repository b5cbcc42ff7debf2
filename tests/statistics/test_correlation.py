from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stratoperf import statistics
from stratoperf.errors import InvalidParameter

if TYPE_CHECKING:
    from tests.statistics.conftest import Source


@given(hnp.arrays(np.float64, st.integers(2, 60), elements=st.integers(-100, 100).map(float)))
def test_autocorrelation_follows_its_definition(samples: np.ndarray) -> None:
    lags = len(samples) - 1
    found = statistics.autocorrelation(samples, lags)
    centered = samples - samples.mean()
    expected = np.zeros(lags + 1)
    expected[0] = 1
    if samples.min() < samples.max():
        expected = np.correlate(centered, centered, "full")[lags:] / (centered @ centered)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("max_lag", [-1, 3])
def test_a_lag_out_of_range_is_refused(max_lag: int) -> None:
    with pytest.raises(InvalidParameter, match=f"max_lag: .* got {max_lag}"):
        statistics.autocorrelation([1.0, 2.0, 3.0], max_lag)


@pytest.mark.parametrize("coefficient", [0.5, 0.9, 0.97])
def test_the_effective_sample_size_of_an_autoregression_is_near_its_theory(
    coefficient: float, sources: dict[str, Source]
) -> None:
    source, n = sources[f"autoregressive {coefficient}"], 50_000
    theory = n * (1 - coefficient) / (1 + coefficient)
    sizes = [
        statistics.effective_sample_size(source.draw(np.random.default_rng(seed), n))
        for seed in range(10)
    ]
    assert np.mean(sizes) == pytest.approx(theory, rel=0.1)


def test_independent_samples_count_in_full() -> None:
    generator = np.random.default_rng(5)
    assert statistics.effective_sample_size(generator.lognormal(0, 1, 10_000)) == 10_000
    assert statistics.effective_sample_size([1.0, 1.0, 1.0]) == 3


def test_anticorrelated_samples_count_no_more_than_in_full(
    sources: dict[str, Source],
) -> None:
    source = sources["alternating"]
    assert statistics.effective_sample_size(source.draw(np.random.default_rng(6), 10_000)) == 10_000
