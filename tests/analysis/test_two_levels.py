"""Stored runs of several processes each."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import stratoperf as sp
from stratoperf.analysis.stored.sides import Process
from stratoperf.analysis.stored.two_levels import two_levels
from stratoperf.results.combining import combined
from wording import mentions

MakeRun = Callable[..., sp.Run]

PROCESSES = 10
THRESHOLD = 0.05
CONFIDENCE = 0.99


class Machine(NamedTuple):
    """How measurements of the same code scatter, as standard deviations of logarithms.

    `unseen` is between runs, `seen` is between runs and moves the speed reference likewise, and
    `walk` is a random walk from process to process.
    """

    processes: float
    unseen: float = 0.0
    seen: float = 0.0
    walk: float = 0.0
    slow: float = 0.0

    def sides(self, random: np.random.Generator, runs: int) -> tuple[list[Process], list[Process]]:
        count = 2 * runs * PROCESSES
        logs = self.processes * random.standard_normal(count)
        logs += np.cumsum(self.walk * random.standard_normal(count))
        logs += np.log(1.5) * (random.random(count) < self.slow)
        speeds = np.repeat(self.seen * random.standard_normal(2 * runs), PROCESSES)
        logs += np.repeat(self.unseen * random.standard_normal(2 * runs), PROCESSES) + speeds
        readings = speeds + np.repeat(0.003 * random.standard_normal(2 * runs), PROCESSES)
        made = [
            Process(
                value=100 * float(np.exp(log)),
                moment=(0.0, index),
                run=f"run{index // PROCESSES}",
                speeds={"integer": float(np.exp(reading))},
            )
            for index, (log, reading) in enumerate(zip(logs, readings, strict=True))
        ]
        return made[: count // 2], made[count // 2 :]


def verdicts(machine: Machine, runs: int, slower: float, trials: int) -> tuple[float, float]:
    """Return the shares of trials that say slower, and that say slower or faster."""
    random = np.random.default_rng(zlib.crc32(repr((machine, runs, slower)).encode()))
    limit = np.log1p(THRESHOLD)
    above = below = 0
    for _ in range(trials):
        found = two_levels(*machine.sides(random, runs), CONFIDENCE)
        assert found is not None
        center = found.center + np.log1p(slower)
        above += center - found.half > limit
        below += center + found.half < -limit
    return above / trials, (above + below) / trials


@pytest.mark.parametrize("runs", [1, 2, 3, 5])
@pytest.mark.parametrize(
    "machine",
    [
        Machine(0.01, unseen=0.01),
        Machine(0.05, unseen=0.02),
        Machine(0.02, seen=0.05),
        Machine(0.01, unseen=0.01, slow=1 / 8),
        Machine(0.005, walk=0.01),
    ],
    ids=str,
)
def test_identical_code_raises_at_most_one_alarm_in_a_hundred(machine: Machine, runs: int) -> None:
    trials = 250
    _, alarms = verdicts(machine, runs, 0.0, trials)
    # One percent, and four standard errors.
    assert alarms <= 0.01 + 4 * (0.01 / trials) ** 0.5


@pytest.mark.slow("simulates 1000 checks")
@pytest.mark.parametrize("runs", [1, 5])
@pytest.mark.parametrize("processes", [0.01, 0.02, 0.05])
@pytest.mark.parametrize("unseen", [0.01, 0.02])
def test_identical_code_raises_few_alarms_in_many_checks(
    processes: float, unseen: float, runs: int
) -> None:
    assert verdicts(Machine(processes, unseen), runs, 0.0, 1000)[1] <= 0.01


@pytest.mark.parametrize(
    ("machine", "runs", "least"),
    [
        (Machine(0.01, unseen=0.01), 1, 0.4),
        (Machine(0.02, unseen=0.01), 1, 0.27),
        (Machine(0.01, unseen=0.01), 2, 0.5),
        (Machine(0.01, unseen=0.01), 5, 0.55),
        (Machine(0.01, unseen=0.01, slow=1 / 8), 1, 0.25),
    ],
)
def test_a_slow_down_of_10_percent_is_recognized_more_often_than_by_five_short_runs(
    machine: Machine, runs: int, least: float
) -> None:
    assert verdicts(machine, runs, 0.1, 400)[0] >= least


def test_the_speed_of_the_machine_widens_the_interval_and_never_moves_it() -> None:
    random = np.random.default_rng(1)
    before, after = Machine(0.01).sides(random, 1)
    calm = two_levels(before, after, CONFIDENCE)
    slower = [
        Process(
            value=process.value, moment=process.moment, run=process.run, speeds={"integer": 1.1}
        )
        for process in after
    ]
    moved = two_levels(before, slower, CONFIDENCE)
    assert calm is not None
    assert moved is not None
    assert moved.center == calm.center
    assert moved.half > calm.half + 0.09
    assert "10 %" in moved.assumed or "9.9 %" in moved.assumed


def test_a_run_that_drifts_widens_the_interval() -> None:
    random = np.random.default_rng(2)
    before, after = Machine(0.002).sides(random, 1)
    drifting = [
        Process(
            value=process.value * 1.02**index,
            moment=process.moment,
            run=process.run,
            speeds=process.speeds,
        )
        for index, process in enumerate(after)
    ]
    found = two_levels(before, drifting, CONFIDENCE)
    assert found is not None
    assert "drifted" in found.assumed
    assert found.half > 0.1


def test_a_machine_that_moves_within_the_runs_raises_few_alarms() -> None:
    random = np.random.default_rng(4)
    trials = 250
    alarms = 0
    for _ in range(trials):
        moves = np.repeat(0.09 * random.standard_normal(2), PROCESSES)
        moves += 0.16 * random.standard_normal(2 * PROCESSES)
        # The readings, a moment before and after, see half of what moved meanwhile.
        speeds = np.repeat([np.mean(moves[:PROCESSES]), np.mean(moves[PROCESSES:])], PROCESSES)
        made = [
            Process(
                value=float(np.exp(move)),
                moment=(0.0, index),
                run=f"run{index // PROCESSES}",
                speeds={"integer": float(np.exp(speeds[index] / 2))},
                step_ns=3.4 * float(np.exp(move)),
            )
            for index, move in enumerate(moves)
        ]
        found = two_levels(made[:PROCESSES], made[PROCESSES:], CONFIDENCE)
        assert found is not None
        assert "between them" in found.assumed
        alarms += abs(found.center) - found.half > np.log1p(THRESHOLD)
    assert alarms <= 0.01 * trials + 4 * (0.01 * trials) ** 0.5


def test_runs_of_few_processes_or_without_speeds_are_not_for_two_levels() -> None:
    before, after = Machine(0.01).sides(np.random.default_rng(3), 1)
    assert two_levels(before[:5], after, CONFIDENCE) is None
    bare = [
        Process(value=process.value, moment=process.moment, run=process.run) for process in after
    ]
    assert two_levels(before, bare, CONFIDENCE) is None


def run_of_processes(
    run_of: MakeRun, medians: Iterable[float], integer_ns: float = 2.0, **changes: Any
) -> sp.Run:
    """Return a run whose result several processes measured."""
    parts = []
    for median in medians:
        run = run_of(median)
        result = dict(run.document["results"][0])
        reference = {"integer_ns": integer_ns, "integer_change": 0.0}
        result |= {"environment": {"reference": reference}, "items": 1.0, "item_unit": "puts"}
        parts.append(result)
    document = dict(run_of(1.0).document)
    document["results"] = [{**combined(parts), **changes}]
    return sp.Run(document)


def medians(seed: int, center: float = 1000.0, count: int = PROCESSES) -> NDArray[np.float64]:
    scatter = 0.01 * np.random.default_rng(seed).standard_normal(count)
    return np.asarray(center * np.exp(scatter), np.float64)


def only(comparison: sp.Comparison) -> sp.ComparedMetric:
    (metric,) = comparison.metrics
    return metric


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, "same"), (1.2, "slower"), (1 / 1.2, "faster")]
)
def test_two_runs_of_ten_processes_have_a_verdict(
    run_of: MakeRun, factor: float, verdict: str
) -> None:
    before = run_of_processes(run_of, medians(1))
    after = run_of_processes(run_of, medians(2, 1000 * factor))
    found = only(sp.compare(before, after, threshold=0.08))
    assert found.verdict == verdict
    assert (found.baseline_processes, found.current_processes) == (10, 10)
    assert mentions(found.why, "run", "side")
    assert found.ratio is not None
    assert "two levels" in found.ratio.method
    assert found.baseline is not None
    assert "10 processes" in found.baseline.method


def test_a_throughput_of_several_processes_is_compared_too(run_of: MakeRun) -> None:
    before = run_of_processes(run_of, medians(3))
    after = run_of_processes(run_of, medians(4, 1300.0))
    latency, throughput = sp.compare(before, after, statistics=("p50", "throughput")).metrics
    assert latency.verdict == throughput.verdict == "slower"
    assert latency.ratio is not None
    assert throughput.ratio is not None
    assert throughput.ratio.value == pytest.approx(latency.ratio.value, rel=0.02)


def test_a_history_of_the_machine_goes_before_the_assumption(run_of: MakeRun) -> None:
    history = [run_of_processes(run_of, medians(10 + number)) for number in range(12)]
    before = run_of_processes(run_of, medians(5))
    after = run_of_processes(run_of, medians(6, 1100.0))
    found = only(sp.compare(before, after, history=history))
    assert found.verdict == "slower"
    assert found.ratio is not None
    assert mentions(found.ratio.method, "12 runs", "history")


def test_an_old_run_and_a_new_run_are_compared_as_one_run_each(run_of: MakeRun) -> None:
    found = only(sp.compare(run_of(1000.0), run_of_processes(run_of, medians(7))))
    assert found.verdict == "inconclusive"
    assert (found.baseline_processes, found.current_processes) == (1, 10)
    assert mentions(found.why, "6", "processes")
    assert found.ratio is not None
    assert "widest known drift" in found.ratio.method


def test_runs_of_few_processes_are_bounded_as_one_run_each(run_of: MakeRun) -> None:
    before = run_of_processes(run_of, medians(8, count=3))
    found = only(sp.compare(before, run_of_processes(run_of, medians(9, 2000.0, count=3))))
    assert found.ratio is not None
    assert found.ratio.low is not None
    assert found.ratio.low < 2 / 1.6
    assert (found.baseline_processes, found.current_processes) == (3, 3)
    assert mentions(found.why, "6", "processes")


def test_five_new_runs_a_side_are_compared_on_two_levels(run_of: MakeRun) -> None:
    before = [run_of_processes(run_of, medians(30 + number)) for number in range(5)]
    after = [run_of_processes(run_of, medians(40 + number, 1100.0)) for number in range(5)]
    found = only(sp.compare(before, after, threshold=0.02))
    assert found.verdict == "slower"
    assert (found.baseline_processes, found.current_processes) == (50, 50)
    assert "one run a side" not in found.why


def test_processes_that_were_disturbed_stay_in_the_file_and_do_not_count(run_of: MakeRun) -> None:
    before = run_of_processes(run_of, medians(11))
    document = dict(run_of_processes(run_of, medians(12)).document)
    result = dict(document["results"][0])
    result["series"] = [*result["series"], *run_of(5000.0).document["results"][0]["series"]]
    document["results"] = [result]
    assert only(sp.compare(before, sp.Run(document))).current_processes == 10


def test_a_file_without_its_long_columns_is_compared_by_its_processes(run_of: MakeRun) -> None:
    before = run_of_processes(run_of, medians(13))
    document = dict(run_of_processes(run_of, medians(14)).document)
    result = dict(document["results"][0])
    missing = {"file": "gone.npz", "member": "x", "sha256": "0"}
    result["series"] = [{**entry, "columns": {"latency": missing}} for entry in result["series"]]
    document["results"] = [result]
    found = only(sp.compare(before, sp.Run(document)))
    assert found.current_processes == 10
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(1.0, abs=0.02)


def test_runs_in_alternation_are_paired_by_run(run_of: MakeRun) -> None:
    runs = [
        run_of_processes(run_of, medians(70 + index, 1200.0 if index % 2 else 1000.0, count=6))
        for index in range(18)
    ]
    found = only(sp.compare(runs[::2], runs[1::2]))
    assert found.verdict == "slower"
    assert found.pairs == 9


def test_a_history_shows_the_interval_over_processes(run_of: MakeRun) -> None:
    runs = [run_of_processes(run_of, medians(50 + number)) for number in range(3)]
    (trend,) = sp.history(runs).trends
    for moment in trend.moments:
        assert moment.estimate is not None
        assert "10 processes" in moment.estimate.method
        assert moment.estimate.low is not None


@pytest.mark.parametrize(
    "reference",
    [
        None,
        5,
        [],
        {"integer_ns": "x", "integer_change": 0},
        {"integer_ns": -1.0},
        {"integer_ns": 1e300},
    ],
)
def test_a_file_whose_speeds_are_anything_is_compared_all_the_same(
    run_of: MakeRun, reference: Any
) -> None:
    before = run_of_processes(run_of, medians(15))
    own = before.document["results"][0]["processes"]
    wrong = [{**part, "environment": {"reference": reference}} for part in own]
    after = run_of_processes(run_of, medians(16), processes=wrong)
    found = only(sp.compare(before, after))
    assert found.ratio is not None
    assert "widest known drift" in found.ratio.method
