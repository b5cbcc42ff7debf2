"""Rounds of five runs, and the verdicts that are read from what others print."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from gate.operations import WORK
from gate.plan import STREAMS, Trial
from gate.pyperf_checks import verdict
from gate.records import Record, Store
from gate.rounds import measure_round
from gate.rule_checks import by_medians, judge

JOB = STREAMS["rules"][0]


def measured(store: Store, number: int) -> tuple[list[int], list[Record]]:
    """Return the steps of the runs in the order taken, and the records."""
    works: list[int] = []

    def measure(operation: str, work: int, path: Path) -> float:
        works.append(work)
        path.write_text(str(work), "utf-8")
        return float(len(works))

    def judge(baseline: Path, current: Path, trial: Trial, number: int) -> Record:
        return {"steps": [int(baseline.read_text("utf-8")), int(current.read_text("utf-8"))]}

    return works, measure_round(JOB, number, store, measure, judge)


def test_a_round_runs_the_baseline_twice_and_every_slow_down_once(store: Store) -> None:
    works, _ = measured(store, 0)
    steps = WORK[JOB.operation]
    expected = [steps, steps, steps * 1.05, steps * 1.1, steps * 1.2]
    assert Counter(works) == Counter(round(case) for case in expected)


def test_every_check_of_a_round_is_against_the_same_baseline(store: Store) -> None:
    _, records = measured(store, 0)
    steps = WORK[JOB.operation]
    found = {record["trial"]: record["steps"] for record in records}
    assert found == {
        trial.name: [steps, round(steps * (1 + trial.slowdown))] for trial in JOB.trials
    }


def test_the_identical_check_has_two_runs_of_its_own(store: Store) -> None:
    _, records = measured(store, 0)
    raw = {record["trial"]: record["raw"] for record in records}[JOB.trials[0].name]
    assert len(set(raw)) == 2
    assert all((store.raw / name).exists() for name in raw)


def test_the_order_is_drawn_anew_for_each_round_and_the_same_when_it_is_repeated(
    store: Store,
) -> None:
    orders = [tuple(measured(store, number)[0]) for number in range(10)]
    assert len(set(orders)) > 5
    assert tuple(measured(store, 3)[0]) == orders[3]


def test_the_time_of_a_check_is_that_of_its_two_runs(store: Store) -> None:
    works, records = measured(store, 1)
    slowest = max(JOB.trials, key=lambda trial: trial.slowdown)
    (record,) = (record for record in records if record["trial"] == slowest.name)
    # The times are the places in the order; the baseline has two runs, of which one counts.
    place = works.index(max(works)) + 1
    starts = [index + 1 for index, work in enumerate(works) if work == min(works)]
    assert record["decided_s"] in [place + start for start in starts]


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(1.051, "slower"), (1.049, "same"), (1.0, "same"), (0.953, "same"), (0.95, "faster")],
)
def test_a_bare_threshold_looks_at_the_ratio_alone(ratio: float, expected: str) -> None:
    assert by_medians(ratio, 0.05) == expected


def test_both_rules_judge_the_times_of_an_iteration(tmp_path: Path) -> None:
    paths = [tmp_path / "baseline.json", tmp_path / "current.json"]
    counts = list(range(1, 101))
    for path, each in zip(paths, (1000, 1040), strict=True):
        times = [count * each + count % 7 for count in counts]
        path.write_text(json.dumps({"iterations": counts, "times_ns": times}), "utf-8")
    record = judge(paths[0], paths[1], Trial("rules", "gate.native", 0.0, 0.05), 0)
    assert record["ratio"] == pytest.approx(1.04, abs=1e-3)
    # 4 % is less than the threshold, and more than what Criterion takes for noise.
    assert record["verdicts"] == {
        "medians": "same",
        "criterion": "slower",
        "criterion-floor": "same",
    }


MEANS = "Mean +- std dev: [a] 56.6 us +- 4.6 us -> [b] 61.3 us +- 6.0 us: "


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (f"{MEANS}1.08x slower\nSignificant (t=-2.79)\n", "slower"),
        (f"{MEANS}1.08x faster\nSignificant (t=2.79)\n", "faster"),
        (f"{MEANS}no change\nSignificant (t=2.79)\n", "same"),
        (f"{MEANS}1.03x slower\nNot significant!\n", "same"),
    ],
)
def test_the_verdict_of_pyperf_is_read_from_what_it_prints(said: str, expected: str) -> None:
    assert verdict(said) == expected


@pytest.mark.parametrize("said", ["", f"{MEANS}1.08x slower\n", "something new"])
def test_what_is_no_verdict_of_pyperf_is_an_error(said: str) -> None:
    with pytest.raises(ValueError, match="no verdict"):
        verdict(said)
