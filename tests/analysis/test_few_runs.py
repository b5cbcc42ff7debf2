"""Bounds for sides of a few runs without a history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.analysis.stored.intervals import WIDEST_DRIFT
from wording import mentions

MakeRun = Callable[..., sp.Run]


def ratio(baseline: list[sp.Run], current: list[sp.Run]) -> sp.Estimate:
    (metric,) = sp.compare(baseline, current).metrics
    assert metric.ratio is not None
    return metric.ratio


def wandering(seed: int, spread: float, count: int = 4000) -> list[float]:
    """Return samples whose level wanders by a factor, with rare slow samples among them."""
    random = np.random.default_rng(seed)
    level = np.repeat(random.uniform(0, np.log(spread), size=count // 200), 200)
    slow = np.where(random.random(count) < 0.01, 8.0, 0.0)
    return list(70 * np.exp(level + slow + 0.01 * random.standard_normal(count)))


def test_correlation_counts_no_further_than_the_process_drifted(run_of: MakeRun) -> None:
    spread = 1.5
    sides = [
        [run_of(samples=wandering(2 * side + run, spread)) for run in range(2)] for side in range(2)
    ]
    found = ratio(sides[0], sides[1])
    assert found.low is not None
    assert found.high is not None
    # Single samples reach 3000 times the value, and few of them are effective.
    assert found.value / found.low < WIDEST_DRIFT * spread**2
    assert found.high / found.value < WIDEST_DRIFT * spread**2


def test_a_process_that_drifts_beyond_all_that_is_known_decides_nothing(run_of: MakeRun) -> None:
    wild = [[run_of(samples=wandering(9 + side, 400.0))] for side in range(2)]
    found = ratio(wild[0], wild[1])
    assert found.low is not None
    assert found.value / found.low > 10


def test_the_chance_of_the_draw_counts_in_full(run_of: MakeRun) -> None:
    random = np.random.default_rng(7)
    runs = [run_of(samples=list(100 * np.exp(3 * random.standard_normal(30)))) for _ in range(2)]
    found = ratio(runs[:1], runs[1:])
    assert found.low is not None
    assert found.high is not None
    assert found.high / found.low > WIDEST_DRIFT**6


@pytest.mark.parametrize(
    ("samples", "statistic"), [([5.0], "p50"), (list(np.linspace(5, 6, 50)), "p99")]
)
def test_what_the_samples_do_not_bound_decides_nothing(
    run_of: MakeRun, samples: list[float], statistic: str
) -> None:
    slower = [run_of(samples=[100 * sample for sample in samples])]
    base = [run_of(samples=samples)]
    (metric,) = sp.compare(base, slower, statistics=(statistic,)).metrics
    assert metric.verdict == "inconclusive"
    assert metric.ratio is not None
    assert metric.ratio.low is None
    assert mentions(metric.why, "runs", "side")


def test_identical_code_of_few_runs_raises_no_alarm_under_the_drift_that_is_known(
    run_of: MakeRun,
) -> None:
    random = np.random.default_rng(11)
    alarms = 0
    for _ in range(60):
        runs = []
        for _ in range(4):
            drift = WIDEST_DRIFT ** random.uniform(-0.5, 0.5)
            runs.append(run_of(samples=list(100 * drift * np.exp(random.standard_normal(100)))))
        alarms += sp.compare(runs[:2], runs[2:]).verdict != "inconclusive"
    assert alarms == 0


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((1, 1), "4 more runs a side, a history of at least 10 runs"),
        ((2, 7), "3 more runs of the baseline, a history"),
        ((12, 4), "1 more run of the current side, the runs of the baseline as a history too"),
    ],
)
def test_the_advice_names_the_side_that_is_short(
    run_of: MakeRun, counts: tuple[int, int], said: str
) -> None:
    sides = [[run_of(1000.0) for _ in range(count)] for count in counts]
    (metric,) = sp.compare(sides[0], sides[1]).metrics
    assert said in metric.why


def test_a_run_file_without_its_long_columns_counts_with_the_interval_it_has(
    run_of: MakeRun, tmp_path: Path
) -> None:
    random = np.random.default_rng(13)
    samples = list(100 * np.exp(0.1 * random.standard_normal(20_000)))
    whole = run_of(samples=samples).save(tmp_path / "results" / "latest.json")
    bare = tmp_path / "baseline.json"
    bare.write_bytes(whole.read_bytes())
    assert not bare.with_suffix(".npz").exists()
    found = ratio([sp.load(bare)], [run_of(samples=samples)])
    assert found.low is not None
    assert found.high is not None
    assert found.low == pytest.approx(1 / WIDEST_DRIFT, rel=0.02)
    assert found.high == pytest.approx(WIDEST_DRIFT, rel=0.02)
