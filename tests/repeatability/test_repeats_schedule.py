"""What is planned, and in which order."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from repeats.loops import NATIVE, OPERATIONS
from repeats.operations import BENCHMARKS
from repeats.plan import EVERY, JOBS, MODES, OURS, PEERS, TOOLS, Job, schedule
from repeats.plan import NATIVE as NATIVE_PLANNED


def of(mode: str) -> list[Job]:
    return [job for job in JOBS if job.mode == mode]


def test_ours_is_measured_as_often_as_the_goals_need() -> None:
    assert len(EVERY) >= 8
    for operation in EVERY:
        assert Job("run", operation, "quick").planned >= 100
        assert Job("run", operation, "60s").planned >= 30


def test_every_tool_but_ours_has_its_share_in_every_mode() -> None:
    for mode in MODES:
        assert {job.tool for job in of(mode)} >= {OURS[0], *PEERS}


def test_the_plan_names_operations_that_there_are() -> None:
    assert set(EVERY) == set(OPERATIONS) == set(BENCHMARKS)
    assert set(NATIVE_PLANNED) == set(NATIVE)
    assert {benchmark.name for benchmark in BENCHMARKS.values()} == {
        f"repeats.{name}" for name in EVERY
    }


@pytest.mark.parametrize("mode", MODES)
def test_as_many_are_scheduled_as_planned(mode: str) -> None:
    counts = Counter(schedule(of(mode), {}))
    assert counts == {job: job.planned for job in of(mode)}


def test_a_count_replaces_what_is_planned() -> None:
    assert set(Counter(schedule(of("quick"), {}, 3)).values()) == {3}


@pytest.mark.parametrize("stop", [0, 1, 17, 400, 1500])
def test_stopping_anywhere_and_going_on_gives_the_same_order(stop: int) -> None:
    whole = list(schedule(of("quick"), {}))
    done = Counter(whole[:stop])
    assert list(schedule(of("quick"), done)) == whole[stop:]


def test_a_session_of_some_tools_leaves_what_the_others_have_to_do() -> None:
    own = [job for job in of("quick") if job.tool == "google"]
    rest = Counter(schedule(of("quick"), Counter(schedule(own, {}))))
    assert rest == {job: job.planned for job in of("quick") if job.tool != "google"}


def test_quick_comes_before_the_long_ones() -> None:
    modes = [job.mode for job in schedule(JOBS, {})]
    assert modes == sorted(modes, key=MODES.index)


@pytest.mark.parametrize("mode", MODES)
def test_all_tools_and_operations_alternate_all_the_time(mode: str) -> None:
    order = list(schedule(of(mode), {}))
    tenth = len(order) // 10
    for begin in range(0, 9 * tenth, tenth):
        part = Counter(islice(order, begin, begin + tenth))
        # Each job has a tenth of its re-runs there, give or take one at either end.
        for job in of(mode):
            assert abs(part[job] - job.planned / 10) <= 2.5
        # Neighbors are mostly of different tools and operations, and the order differs each time.
        assert len({job.operation for job in part}) == len(EVERY)


def test_tools_state_what_their_bounds_are() -> None:
    assert {TOOLS[name].states for name in OURS} == {"95 % interval"}
