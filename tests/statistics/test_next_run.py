"""Whether the interval of one run holds for the next, on machines that stand still or move."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from stratoperf.statistics import Estimate
from stratoperf.statistics.next_run import OF_SCATTER, OF_SPEED, READING_ERROR, movement
from stratoperf.statistics.processes import location, pooled_tail
from stratoperf.statistics.scaling import at_speed

Array = NDArray[np.float64]

STEP_NS = 3.4


class Machine(NamedTuple):
    """How a machine's speed moves, and work that follows it; deviations of logarithms.

    Attributes
    ----------
    within, between
        How the speed moves from process to process, and from run to run.
    power
        By which the work follows it.
    own
        How processes differ for reasons of their own.
    degrees
        Of Student's t that everything follows; many make it normal.
    modes
        How far apart the two modes of processes lie.
    states
        Whether the speed within a run has two states rather than a bell.
    """

    within: float
    between: float
    power: float = 1.0
    own: float = 0.01
    degrees: float = 1000.0
    modes: float = 0.0
    states: bool = False

    def run(self, random: np.random.Generator, count: int = 8) -> tuple[Array, Array]:
        """Return what the processes of a run say, and the readings beside them."""
        speed = self.between * self._draw(random, 1) + self._moved(random, count)
        work = self.power * speed + self.own * self._draw(random, count)
        work += self.modes * (random.random(count) < 1 / 2)
        error = READING_ERROR * random.standard_normal(count)
        return np.exp(work), STEP_NS * np.exp(speed + error)

    def _draw(self, random: np.random.Generator, count: int) -> Array:
        return random.standard_t(self.degrees, count)

    def _moved(self, random: np.random.Generator, count: int) -> Array:
        if self.states:
            return np.asarray(2 * self.within * ((random.random(count) < 1 / 2) - 0.5))
        return self.within * self._draw(random, count)


QUIET = Machine(0.0, 0.0)
MOVING = {
    "everything follows": Machine(0.16, 0.09),
    "partly follows": Machine(0.16, 0.09, power=0.5, own=0.05),
    "hardly follows": Machine(0.16, 0.09, power=0.15, own=0.005),
    "moves as much between as within": Machine(0.1, 0.07, power=0.7),
    "two states": Machine(0.15, 0.08, states=True),
    "heavy tails": Machine(0.08, 0.04, degrees=3),
    "little": Machine(0.03, 0.02, own=0.02),
}
STILL = {
    "quiet": QUIET,
    "two modes": QUIET._replace(modes=0.2),
    "heavy tails": QUIET._replace(degrees=3),
    "large layout": QUIET._replace(own=0.1),
}


def runs_of(machine: Machine, count: int) -> list[tuple[Array, Array]]:
    random = np.random.default_rng(zlib.crc32(repr(machine).encode()))
    return [machine.run(random) for _ in range(count)]


def share_that_holds(estimates: list[Estimate]) -> float:
    truth = float(np.median([estimate.value for estimate in estimates]))
    return float(
        np.mean([(estimate.low or 0) <= truth <= (estimate.high or 0) for estimate in estimates])
    )


def width(estimates: list[Estimate]) -> float:
    return float(
        np.median(
            [
                ((estimate.high or 0) - (estimate.low or 0)) / estimate.value
                for estimate in estimates
            ]
        )
    )


@pytest.mark.parametrize("machine", MOVING.values(), ids=MOVING)
def test_the_interval_holds_for_the_next_run_of_a_machine_that_moves(machine: Machine) -> None:
    runs = runs_of(machine, 400)
    before = [location(values) for values, _ in runs]
    after = [location(values, moved=movement(readings)) for values, readings in runs]
    assert share_that_holds(after) >= 0.93
    assert share_that_holds(after) > share_that_holds(before)
    # What it would be if the scatter of runs were known; work that hardly follows pays the most.
    known = 2 * 1.96 * float(np.std([np.log(estimate.value) for estimate in after]))
    assert width(after) < 3.5 * known


@pytest.mark.parametrize("machine", STILL.values(), ids=STILL)
def test_a_machine_that_stands_still_costs_no_width(machine: Machine) -> None:
    runs = runs_of(machine, 400)
    before = [location(values) for values, _ in runs]
    after = [location(values, moved=movement(readings)) for values, readings in runs]
    same = np.mean([early == late for early, late in zip(before, after, strict=True)])
    assert same >= 0.97
    assert share_that_holds(after) >= 0.93


def test_work_that_does_not_follow_the_machine_is_widened_by_its_own_scatter_at_most() -> None:
    for values, readings in runs_of(Machine(0.2, 0.2, power=0.0), 50):
        plain, widened = location(values), location(values, moved=movement(readings))
        assert plain.low is not None
        assert widened.low is not None
        # The interval itself is 2.36 deviations by the root of eight.
        least = OF_SCATTER * np.sqrt(8)
        ratio = np.log(widened.value / widened.low) / np.log(plain.value / plain.low)
        assert ratio < 1.5 * np.hypot(1, least)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_few_readings_tell_nothing(count: int) -> None:
    assert movement([STEP_NS] * count) is None
    assert movement([STEP_NS] * count, [STEP_NS] * 50) is None


def test_earlier_readings_tell_of_movement_that_this_run_does_not_show() -> None:
    random = np.random.default_rng(1)
    still = STEP_NS * np.exp(0.001 * random.standard_normal(8))
    days = STEP_NS * np.exp(0.1 * random.standard_normal(300))
    assert movement(still) == 0
    assert movement(still, days) == pytest.approx(0.1, rel=0.3)
    assert movement(days, still) == pytest.approx(0.1, rel=0.3)
    assert movement(still, days[:5]) == 0


def test_the_method_says_what_was_added_and_for_how_long_it_speaks() -> None:
    values, readings = runs_of(MOVING["everything follows"], 1)[0]
    widened = location(values, moved=movement(readings))
    assert "next hours" in widened.method
    assert "speed moved by" in widened.method
    assert "next hours" not in location(values, moved=0.0).method


def test_the_width_follows_from_the_machine_by_its_factor() -> None:
    values = np.exp(np.linspace(-0.5, 0.5, 8))
    plain, widened = location(values), location(values, moved=0.1)
    assert plain.high is not None
    assert widened.high is not None
    more = np.log(widened.high / widened.value) ** 2 - np.log(plain.high / plain.value) ** 2
    assert np.sqrt(more) == pytest.approx(2.365 * OF_SPEED * 0.1, rel=0.01)


def test_values_without_a_logarithm_and_few_processes_are_not_widened() -> None:
    for values in ([-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0], [4.0]):
        assert location(values, moved=0.3) == location(values)


def test_tails_allow_for_the_next_run_too() -> None:
    random = np.random.default_rng(5)
    series = [
        np.exp(0.1 * random.standard_normal() + 0.02 * random.standard_normal(60)) for _ in range(8)
    ]
    plain, widened = pooled_tail(series, 0.95), pooled_tail(series, 0.95, moved=0.2)
    assert widened.value == plain.value
    assert (widened.high or 0) > 1.05 * (plain.high or 0)
    assert "next hours" in widened.method


@pytest.mark.parametrize("name", ["everything follows", "partly follows", "two states"])
def test_the_value_at_reference_speed_holds_for_the_next_run_and_is_narrower(name: str) -> None:
    runs = runs_of(MOVING[name], 300)
    raw = [location(values, moved=movement(readings)) for values, readings in runs]
    scaled = [
        at_speed(values, readings, STEP_NS, moved=movement(readings)) for values, readings in runs
    ]
    widened = [estimate for estimate in scaled if estimate is not None]
    assert len(widened) > 200
    assert share_that_holds(widened) >= 0.93
    assert width(widened) < width(raw)
