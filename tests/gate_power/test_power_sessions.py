"""Pairs beside two separate runs of the same samples."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from gate.distill import distill
from gate.plan import Trial
from gate.precision import errors, widths
from gate.records import Record, Store, read_records
from gate.report import as_json
from gate.sessions import session_figures, shift
from gate.simulated import live_record, save_session

PAIR_S = 0.5


def drifting(pairs: int, drift: float, seed: int = 1) -> np.ndarray:
    """Return logarithms of ns of both sides: a common drift, and noise of 1 % of their own."""
    random = np.random.default_rng(seed)
    common = np.linspace(0.0, drift, pairs)[:, None]
    return math.log(1000.0) + common + random.normal(0, 0.01, (pairs, 2))


def test_a_drift_cancels_in_pairs_and_shows_between_separate_runs(tmp_path: Path) -> None:
    save_session(tmp_path / "session.json", drifting(60, 0.4), PAIR_S)
    figures = session_figures(tmp_path / "session.json", windows=True)
    value, low, high = figures["paired"]
    assert low <= 0 <= high
    assert abs(value) < 0.01
    # Halves of a line from 0 to 0.4 lie 0.2 apart.
    value, low, high = figures["separate"]
    assert value == pytest.approx(0.2, abs=0.02)
    assert low > 0.1
    _, low, high = figures["drift"]
    assert low <= 0 <= high


def test_a_session_is_cut_into_stretches_of_ten_seconds(tmp_path: Path) -> None:
    save_session(tmp_path / "session.json", drifting(119, 0.0), PAIR_S)
    figures = session_figures(tmp_path / "session.json", windows=True)
    assert figures["pairs"] == 119
    assert [window["pairs"] for window in figures["windows"]] == [20, 20, 20, 20, 20, 19]


def test_a_check_has_no_stretches(tmp_path: Path) -> None:
    save_session(tmp_path / "session.json", drifting(12, 0.0), PAIR_S)
    assert "windows" not in session_figures(tmp_path / "session.json", windows=False)


def test_the_shift_of_two_samples_is_bounded_by_the_rank_sum_test() -> None:
    random = np.random.default_rng(2)
    first, second = random.normal(0, 1, 40), random.normal(0.5, 1, 40)
    value, low, high = shift(first, second)
    assert low is not None
    assert high is not None
    assert low < value < high
    for bound in (low, high):
        p_value = stats.mannwhitneyu(second - bound, first, method="asymptotic").pvalue
        assert p_value == pytest.approx(0.01, abs=0.002)


def test_the_interval_of_the_shift_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    missed = 0
    for _ in range(1000):
        first, second = random.standard_normal(20), random.standard_normal(20)
        _, low, high = shift(first, second)
        assert low is not None
        assert high is not None
        missed += not low <= 0 <= high
    # 10 are expected; more than 22 would come by chance once in 5000 times.
    assert missed <= 22


def test_too_few_processes_give_no_interval_of_the_shift() -> None:
    assert shift(np.array([0.0, 1.0]), np.array([2.0, 3.0]))[1:] == (None, None)


def precision_record(name: str) -> Record:
    trial = Trial("precision", "gate.native", 0.0, 0.05)
    return {"trial": trial.name, "number": 0, "verdict": "same", "raw": name, "decided_s": 59.0}


@pytest.fixture
def data(store: Store) -> Path:
    """A folder as an experiment leaves it, drifting so that separate runs go wrong."""
    save_session(store.raw / "long.json", drifting(119, 0.4), PAIR_S)
    records = [precision_record("long.json")]
    for number in range(4):
        save_session(store.raw / f"{number}.json", drifting(12, 0.2, seed=number), PAIR_S)
        records.append(live_record(0.0, "same", number, raw=f"{number}.json"))
    records.append(live_record(0.1, "slower", raw="is not there"))
    store.append(records)
    return store.directory


def test_records_speak_without_their_samples_once_they_are_distilled(
    data: Path, tmp_path: Path
) -> None:
    output = tmp_path / "kept"
    assert distill(data, output) == 6
    assert not (output / "raw").exists()
    tree = as_json(read_records(output), None)
    (identical, slow) = (verdict for verdict in tree["verdicts"] if verdict["operation"] == "both")
    assert (identical["checks"], slow["checks"]) == (4, 1)
    (short, long) = tree["widths"]
    assert (short["seconds"], short["sessions"]) == (10.0, 6)
    assert (long["seconds"], long["sessions"]) == (60.0, 1)


def test_the_widths_say_which_intervals_missed_the_truth(data: Path, tmp_path: Path) -> None:
    distill(data, tmp_path / "kept")
    (_, long) = widths(read_records(tmp_path / "kept"))
    assert long.paired_missed == 0
    assert long.separate_missed == 1
    assert long.drift > long.separate
    assert long.drift > 0.2


def test_the_errors_of_separate_runs_are_larger_by_what_the_drift_does(
    data: Path, tmp_path: Path
) -> None:
    distill(data, tmp_path / "kept")
    (one,) = errors(read_records(tmp_path / "kept"))
    assert one.sessions == 4
    assert one.separate == pytest.approx(0.1, abs=0.03)
    assert one.paired < 0.02
    assert one.low < one.factor < one.high


def test_no_interval_counts_as_narrower_than_a_tick_of_the_clock() -> None:
    session = {
        "pairs": 100,
        "tick": 0.001,
        "paired": [0.0, -1e-9, 1e-9],
        "separate": [0.0, -0.01, 0.01],
        "drift": [0.0, None, None],
        "windows": [],
    }
    (one,) = widths([{**precision_record(""), "session": session}])
    assert one.paired == 0.001
    assert one.separate == pytest.approx(0.01, rel=0.01)
    assert one.drift == math.inf
    assert one.to_json()["drift"] is None
