"""Which runs count on which side of a stored comparison."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.analysis.paired_design import LOOKS
from stratoperf.statistics import signed_rank
from wording import mentions, says

MakeRun = Callable[..., sp.Run]


def only(comparison: sp.Comparison) -> sp.ComparedMetric:
    (metric,) = comparison.metrics
    return metric


def live(run_of: MakeRun, ratio: float = 1.0, pairs: int = 20, scatter: float = 0.02) -> sp.Run:
    """Return the record of a live comparison."""
    document: dict[str, Any] = dict(run_of(1000.0).document)
    result = document["results"][0]
    random = np.random.default_rng(pairs)
    result["metrics"] = {"latency": {"unit": "ns", "better": "lower", "primary": True}}
    result["series"] = [
        {
            "system": "box",
            "process": f"{side}{number}",
            "arm": side,
            "pair": number,
            "started_ns": 2 * number + (side == "current"),
            "batch": 1,
            "columns": {"latency": [value * (1 + scatter * float(random.standard_normal()))]},
        }
        for number in range(pairs)
        for side, value in (("baseline", 1000.0), ("current", 1000.0 * ratio))
    ]
    return sp.Run({**document, "preset": "live"})


def test_live_comparisons_in_a_folder_of_runs_are_left_out_and_named(
    run_of: MakeRun, tmp_path: Path
) -> None:
    for number in range(3):
        run_of(1000.0).save(tmp_path / f"run{number}.json")
    live(run_of).save(tmp_path / "live_1.json")
    comparison = sp.compare(tmp_path, run_of(1000.0))
    assert only(comparison).baseline_processes == 3
    (warning,) = comparison.warnings
    assert warning.startswith("baseline: left out a live comparison")
    assert str(tmp_path / "live_1.json") in warning


def test_a_live_comparison_given_alone_is_paired(run_of: MakeRun, tmp_path: Path) -> None:
    path = live(run_of, 1.2).save(tmp_path / "live_1.json")
    for sides in ((path, path), (tmp_path, tmp_path)):
        comparison = sp.compare(*sides)
        assert only(comparison).pairs == 20
        assert comparison.verdict == "slower"
        assert comparison.warnings == ()


def test_the_interval_of_a_live_comparison_allows_for_its_looks(run_of: MakeRun) -> None:
    run = live(run_of, pairs=40)
    column = [next(iter(entry.columns["latency"])) for entry in run.results[0].series]
    logs = np.log(np.asarray(column[1::2]) / np.asarray(column[::2]))
    found = only(sp.compare(run, run)).ratio
    assert found is not None
    assert found.confidence == 0.99
    one_look = signed_rank(logs, 1 - 0.01 / len(LOOKS))
    assert one_look.low is not None
    assert found.low == pytest.approx(np.exp(one_look.low))


def test_pairs_of_several_live_comparisons_are_not_mixed_up(run_of: MakeRun) -> None:
    runs = [live(run_of, 1.2, pairs=12), live(run_of, 1.2, pairs=14)]
    assert only(sp.compare(runs, runs)).pairs == 26


def test_the_processes_of_one_moment_count_as_one_against_another_run(run_of: MakeRun) -> None:
    found = only(sp.compare(live(run_of), live(run_of, 1.2)))
    assert (found.baseline_processes, found.current_processes) == (1, 1)
    assert found.verdict == "inconclusive"


def test_a_live_comparison_is_no_history(run_of: MakeRun) -> None:
    past = live(run_of, scatter=0.001)
    comparison = sp.compare(run_of(1000.0), run_of(1200.0), history=past)
    assert only(comparison).verdict == "inconclusive"
    assert "without a history" in (only(comparison).ratio or pytest.fail("no ratio")).method
    assert "history: left out" in comparison.warnings[0]


@pytest.mark.parametrize("count", [1, 8])
def test_the_same_runs_on_both_sides_have_no_verdict_and_a_loud_warning(
    run_of: MakeRun, count: int
) -> None:
    runs = [run_of(1000.0) for _ in range(count)]
    comparison = sp.compare(runs, list(reversed(runs)), threshold=5.0)
    assert comparison.verdict == "inconclusive"
    assert comparison.warnings[0].startswith("THE SAME RUN ON BOTH SIDES")
    assert mentions(only(comparison).why, "measure", "check")


def test_a_run_on_both_sides_counts_where_it_is_needed(run_of: MakeRun) -> None:
    first, *others = (run_of(1000.0) for _ in range(4))
    for baseline, current, counts in (
        ([first, *others], first, (3, 1)),
        (first, [first, *others], (1, 3)),
        ([first, others[0]], [first, others[1]], (1, 2)),
    ):
        comparison = sp.compare(baseline, current)
        found = only(comparison)
        assert (found.baseline_processes, found.current_processes) == counts
        assert mentions(comparison.warnings[0], "sides", "counted")


def test_values_in_different_units_are_not_compared(run_of: MakeRun) -> None:
    document: dict[str, Any] = dict(run_of(1000.0).document)
    document["results"][0]["metrics"]["latency"]["unit"] = "us"
    comparison = sp.compare(sp.Run(document), run_of(1000.0))
    assert comparison.metrics == ()
    (difference,) = comparison.differences
    assert difference.what == "metric"
    assert mentions(difference.baseline or "", "baseline", "current")


def test_a_folder_without_runs_is_named_by_what_it_was_given_as(
    run_of: MakeRun, tmp_path: Path
) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("history:", "run", "file")):
        sp.compare(run_of(1.0), run_of(1.0), history=tmp_path)
