"""The order of the checks, and that nothing is lost or done twice."""

from __future__ import annotations

from collections import Counter

import pytest

from gate import live_checks
from gate.operations import TAILS, WORK, work_of
from gate.plan import (
    OPERATIONS,
    SLOWDOWNS,
    STREAMS,
    Job,
    Trial,
    remaining,
    schedule,
    seconds_left,
)
from gate.records import Record


def records_of(job: Job, number: int) -> list[Record]:
    return [{"trial": trial.name, "number": number} for trial in job.trials]


@pytest.mark.parametrize("stream", sorted(STREAMS))
def test_every_trial_gets_what_is_wanted_with_numbers_in_order(stream: str) -> None:
    numbers: dict[str, list[int]] = {}
    for job, number in schedule(STREAMS[stream], []):
        numbers.setdefault(job.name, []).append(number)
    assert numbers == {job.name: list(range(job.checks)) for job in STREAMS[stream]}


@pytest.mark.parametrize("stream", sorted(STREAMS))
def test_stopping_at_any_moment_leaves_all_jobs_at_about_the_same_share(stream: str) -> None:
    jobs = STREAMS[stream]
    done: Counter[str] = Counter()
    coarsest = 1 / min(job.checks for job in jobs)
    for job, _ in schedule(jobs, []):
        done[job.name] += 1
        shares = [done[entry.name] / entry.checks for entry in jobs]
        assert max(shares) - min(shares) <= coarsest + 1e-9


@pytest.mark.parametrize("stop", [0, 1, 7, 100])
def test_starting_again_goes_on_where_it_stopped(stop: int) -> None:
    jobs = STREAMS["others"]
    whole = [(job.name, number) for job, number in schedule(jobs, [])]
    records: list[Record] = []
    for job, number in list(schedule(jobs, []))[:stop]:
        records += records_of(job, number)
    rest = [(job.name, number) for job, number in schedule(jobs, records)]
    assert sorted(rest) == sorted(whole[stop:])
    assert remaining(jobs, records) == len(whole) - stop


def test_a_round_of_which_a_record_is_missing_is_measured_again() -> None:
    job = STREAMS["rules"][0]
    *most, _ = records_of(job, 0)
    assert (job, 0) in list(schedule([job], most))


def test_nothing_is_left_when_all_is_done() -> None:
    jobs = STREAMS["pyperf"]
    records = [record for job, number in schedule(jobs, []) for record in records_of(job, number)]
    assert list(schedule(jobs, records)) == []


@pytest.mark.parametrize(
    ("gate", "identical", "slow"),
    [("live", 300, 60), ("stored", 300, 60), ("rules", 60, 60), ("pyperf", 60, 60)],
)
def test_the_plan_has_as_many_checks_as_the_rates_need(
    gate: str, identical: int, slow: int
) -> None:
    counts: Counter[tuple[float, float]] = Counter()
    for job in STREAMS[gate]:
        for trial in job.trials:
            assert trial.operation in OPERATIONS
            if trial.gate == gate:
                counts[trial.slowdown, trial.threshold] += job.checks
    assert counts == {(0.0, 0.05): identical, **dict.fromkeys(SLOWDOWNS, slow)}


@pytest.mark.parametrize("statistic", ["p95", "p99"])
def test_tails_are_tried_on_identical_sides_often_enough_for_one_percent(statistic: str) -> None:
    jobs = [job for job in STREAMS["tails"] if job.gate == statistic]
    assert sum(job.checks for job in jobs if job.trials[0].slowdown == 0) == 300
    assert all(job.checks == 60 for job in jobs if job.trials[0].slowdown)
    assert {job.trials[0].threshold for job in jobs} == {0.2}


def test_planted_and_real_tails_are_looked_for() -> None:
    slow = {
        job.operation for job in STREAMS["tails"] if job.trials[0].slowdown and job.gate == "p95"
    }
    assert slow == set(TAILS)


def test_the_time_that_is_left_follows_from_budgets_and_then_from_what_checks_took() -> None:
    first, second = Job((Trial("p95", "gate.native", 0.0, 0.2),), 10), STREAMS["rules"][0]
    records = [{"trial": first.name, "number": 0, "seconds": 6.0, "decided_s": 5.0}]
    left = seconds_left([first, second], [], live_checks.budget_s)
    assert left == {first: 10 * live_checks.IDENTICAL_S["p95"], second: None}
    assert seconds_left([first], records, live_checks.budget_s) == {first: 9 * 6.0}
    assert seconds_left([first], 12 * records, live_checks.budget_s) == {first: 0.0}


def test_others_is_everything_but_the_live_gate() -> None:
    apart = [*STREAMS["stored"], *STREAMS["rules"], *STREAMS["pyperf"]]
    assert STREAMS["others"] == apart
    assert not set(apart) & set(STREAMS["live"])


def test_a_trial_is_found_again_by_its_name() -> None:
    for jobs in STREAMS.values():
        for job in jobs:
            assert [Trial.named(trial.name) for trial in job.trials] == list(job.trials)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_extra_work_is_exactly_the_share_that_is_claimed(operation: str) -> None:
    for slowdown, _ in SLOWDOWNS:
        extra = work_of(operation, slowdown) - WORK[operation]
        assert extra == pytest.approx(slowdown * WORK[operation], abs=1e-9)
