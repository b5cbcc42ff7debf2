"""From re-runs to rates and widths."""

from __future__ import annotations

import json
import math

import msgspec
import pytest

from repeats.coverage import ALL, Cell, cells, factor, judged, widths
from repeats.plan import Job
from repeats.records import Rerun
from repeats.report import as_json, as_markdown, as_text
from repeats.simulated import normal_reruns, simulated_rerun

RUN = Job("run", "native", "quick")
PYPERF = Job("pyperf", "native", "quick")


def only(reruns: list[Rerun], operation: str = "native", *, at_reference: bool = False) -> Cell:
    (cell,) = (
        cell for cell in cells(reruns, at_reference=at_reference) if cell.operation == operation
    )
    return cell


def test_honest_intervals_cover_as_often_as_they_say() -> None:
    cell = only(normal_reruns(RUN, 800, scatter=10.0, half_width=19.6))
    assert cell.rate == pytest.approx(0.95, abs=0.02)
    assert cell.low < cell.rate < cell.high
    assert cell.met
    assert cell.factor == pytest.approx(1.0, abs=0.1)
    assert cell.width == pytest.approx(0.0392, rel=0.01)
    # Nine tenths of a normal law lie within 1.645 standard deviations to either side.
    assert cell.apart == pytest.approx(0.0329, rel=0.1)


def test_intervals_of_one_process_cover_seldom_and_say_by_how_much_they_are_too_narrow() -> None:
    cell = only(normal_reruns(RUN, 400, scatter=10.0, half_width=1.0))
    assert cell.rate < 0.15
    assert cell.met is False
    assert cell.factor == pytest.approx(19.6, rel=0.15)


def test_the_median_leaves_the_re_run_itself_out() -> None:
    reruns = [simulated_rerun(RUN, value, 0.5) for value in (10.0, 20.0, 30.0)]
    assert [row.truth for row in judged(reruns)[RUN]] == [25.0, 20.0, 15.0]
    assert only(reruns).covered == 1


def test_one_re_run_alone_says_nothing() -> None:
    assert cells([simulated_rerun(RUN, 1.0, 0.1)]) == []


def test_without_an_interval_nothing_is_covered() -> None:
    cell = only([simulated_rerun(RUN, 10.0, None) for _ in range(3)])
    assert (cell.covered, cell.reruns, cell.unbounded) == (0, 3, 3)
    assert math.isinf(cell.width)


def test_a_failed_re_run_is_no_re_run() -> None:
    failed = Rerun(RUN, "2026-01-01T00:00:00Z", 1.0, None, "it said no")
    reruns = [failed, *normal_reruns(RUN, 4, scatter=1.0, half_width=5.0)]
    assert only(reruns).reruns == 4
    assert "1 re-runs failed" in as_text(reruns, None)


def test_re_runs_that_warned_of_the_hosts_drift_are_told_apart() -> None:
    quiet = [simulated_rerun(RUN, 100.0, 1.0) for _ in range(8)]
    warning = "the CPU was 50 % slower than usual in this run"
    drifted = [simulated_rerun(RUN, 150.0, 1.0, warned=[warning]) for _ in range(2)]
    cell = only([*quiet, *drifted])
    assert (cell.covered, cell.reruns) == (8, 10)
    assert (cell.drifted_covered, cell.drifted) == (0, 2)
    text = as_text([*quiet, *drifted], None)
    assert "20 %: 0 of 2 cover" in text
    assert "8 of 10: 80 %" in text


def test_where_every_re_run_warned_of_drift_the_goal_still_holds_or_not() -> None:
    warning = "the speed of the CPU changed by 12 % during the measurement"
    reruns = [simulated_rerun(RUN, 100.0, 1.0, warned=[warning]) for _ in range(3)]
    cell = only(reruns)
    assert (cell.reruns, cell.drifted, cell.met) == (3, 3, True)
    json.dumps(cell.to_json(), allow_nan=False)
    cell = only([*reruns, simulated_rerun(RUN, 150.0, 1.0, warned=[warning])])
    assert (cell.covered, cell.reruns, cell.met) == (3, 4, False)


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_at_reference_speed_a_slow_host_does_not_move_the_value(power: float) -> None:
    """Times need not follow the speed in proportion."""
    reruns = [
        simulated_rerun(RUN, 100.0 * slowness, 1.0, step_ns=2.0 * slowness ** (1 / power))
        for slowness in (1.0, 1.1, 1.2, 1.3, 1.4)
    ]
    if power != 1.0:
        reruns = [with_power(rerun, power) for rerun in reruns]
    assert only(reruns).covered == 1
    at_reference = only(reruns, at_reference=True)
    assert at_reference.covered == 5
    assert at_reference.apart < only(reruns).apart / 10


def with_power(rerun: Rerun, power: float) -> Rerun:
    """Return the re-run with processes that follow the speed of the machine by that power."""
    assert rerun.outcome is not None
    middle = math.prod(rerun.outcome.readings) ** (1 / len(rerun.outcome.readings))
    values = tuple(
        rerun.outcome.interval.value * (reading / middle) ** power * (1 + 0.01 * (-1) ** number)
        for number, reading in enumerate(rerun.outcome.readings)
    )
    return rerun._replace(outcome=msgspec.structs.replace(rerun.outcome, values=values))


def test_processes_that_do_not_follow_the_speed_have_no_value_at_another() -> None:
    rerun = simulated_rerun(RUN, 100.0, 1.0, step_ns=2.0)
    assert rerun.outcome is not None
    flat = rerun._replace(outcome=msgspec.structs.replace(rerun.outcome, values=(100.0,) * 8))
    assert cells([flat] * 3, at_reference=True) == []


def test_the_goal_of_all_operations_is_higher_than_that_of_each() -> None:
    def covering(operation: str, hits: int) -> list[Rerun]:
        job = Job("run", operation, "quick")
        inside = [simulated_rerun(job, 100.0, 1.0) for _ in range(hits)]
        return [*inside, *(simulated_rerun(job, 110.0, 1.0) for _ in range(100 - hits))]

    found = {cell.operation: cell.met for cell in cells(covering("native", 89))}
    assert found == {ALL: False, "native": True}
    found = {
        cell.operation: cell.met
        for cell in cells([*covering("native", 87), *covering("file", 100)])
    }
    assert found == {ALL: True, "native": False, "file": True}


def test_peers_and_a_single_process_have_no_goal() -> None:
    for tool in ("pyperf", "measure"):
        job = Job(tool, "native", "quick")
        assert only(normal_reruns(job, 10, scatter=1.0, half_width=9.0)).met is None


def test_an_interval_of_no_width_that_misses_cannot_be_widened() -> None:
    (rows,) = judged([simulated_rerun(RUN, value, 0.0) for value in (1.0, 1.0, 2.0)]).values()
    assert factor(rows) == math.inf


@pytest.mark.parametrize(("our_half", "peer_half"), [(2.0, 2.0), (2.0, 40.0), (50.0, 5.0)])
def test_widths_are_compared_at_equal_coverage_whatever_was_stated(
    our_half: float, peer_half: float
) -> None:
    reruns: list[Rerun] = []
    for index, operation in enumerate(("native", "arithmetic", "file")):
        for tool, scatter, half in (("run", 10.0, our_half), ("pyperf", 30.0, peer_half)):
            job = Job(tool, operation, "quick")
            reruns += normal_reruns(job, 300, scatter=scatter, half_width=half, seed=index)
    (row,) = widths(reruns)
    assert (row.ours, row.peer, row.operations) == ("run", "pyperf", 3)
    assert row.ratio == pytest.approx(3.0, rel=0.02)
    assert row.ours_width == pytest.approx(0.0392, rel=0.1)


def test_a_peer_that_takes_four_times_as_long_would_be_half_as_precise_in_our_time() -> None:
    reruns = [
        *normal_reruns(RUN, 200, scatter=10.0, half_width=20.0, seconds=2.0),
        *normal_reruns(PYPERF, 200, scatter=10.0, half_width=20.0, seconds=8.0),
    ]
    (row,) = widths(reruns)
    assert row.ratio == pytest.approx(2.0, rel=1e-3)


def test_what_has_no_interval_is_in_the_tables_and_in_json_all_the_same() -> None:
    reruns = [
        *(simulated_rerun(RUN, 10.0 + index, None) for index in range(3)),
        *(simulated_rerun(PYPERF, 10.0 + index, 2.0) for index in range(3)),
    ]
    json.dumps(as_json(reruns, None), allow_nan=False)
    for text in (as_text(reruns, None), as_markdown(reruns, None)):
        assert "∞" in text
        assert "mean ± standard deviation" in text
