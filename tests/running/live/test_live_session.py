"""One case, pair after pair: looks, budget and endings, on a clock that the test turns."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from stratoperf.analysis.comparison import Side
from stratoperf.analysis.paired_design import LOOKS, Look, PairedDesign
from stratoperf.analysis.tails import TailDesign
from stratoperf.running.live import session as session_module
from stratoperf.running.live.pair_source import SIDES, Arm, BudgetSpent, SideFailed
from stratoperf.running.live.session import Session, run_session, value_of
from wording import mentions


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(session_module, "time", clock)
    return clock


class Scripted:
    """A source whose pairs take a second of the clock and have chosen ratios."""

    def __init__(
        self,
        clock: Clock,
        ratio_of: Callable[[int], float],
        *,
        seconds: float = 1.0,
        preparing_s: float = 0.0,
        verifying_s: float = 0.0,
        at: dict[int, BaseException] | None = None,
    ) -> None:
        self.clock = clock
        self.ratio_of = ratio_of
        self.seconds = seconds
        self.preparing_s = preparing_s
        self.verifying_s = verifying_s
        self.at = at or {}
        self.prepared = 0
        self.asked: list[tuple[Side, int, bool]] = []

    def prepare(self, deadline: float) -> None:
        self.prepared += 1
        self.clock.now += self.preparing_s

    def floor(self) -> None:
        return None

    def measure(self, first: Side, seed: int, *, verify: bool, deadline: float) -> dict[Side, Arm]:
        number = len(self.asked)
        if number in self.at:
            raise self.at[number]
        self.asked.append((first, seed, verify))
        end = self.clock.now + self.seconds + (2 * self.verifying_s if verify else 0)
        self.clock.now = min(end, deadline)
        if end > deadline:
            raise BudgetSpent("it lasts", self.seconds, at_least=True)
        values = {"baseline": 100.0, "current": 100.0 * self.ratio_of(number)}
        return {
            side: Arm(side, 0, 1, np.array([values[side]]), verifying_s=self.verifying_s)
            for side in SIDES
        }


class Told:
    """Remembers what a session tells."""

    def __init__(self) -> None:
        self.looks: list[tuple[float, Look]] = []
        self.pairs: list[int] = []

    def __call__(self, look: Look | None, pairs: int, seconds: float) -> None:
        self.pairs.append(pairs)
        if look is not None:
            self.looks.append((seconds, look))


def run(
    source: Scripted,
    *,
    duration_s: float,
    tell: Callable[[Look | None, int, float], None] | None = None,
    stop_early: bool = True,
    seed: int = 1,
    statistic: str = "p50",
) -> Session:
    return run_session(
        source,
        PairedDesign(0.05, 0.01),
        statistic=statistic,
        duration_s=duration_s,
        generator=random.Random(seed),
        stop_early=stop_early,
        tell=tell or Told(),
    )


def undecided(number: int) -> float:
    """Return ratios between 1 and 1.1: their center is the threshold."""
    return 1.0 + 0.1 * ((number * 37) % 101) / 100


def test_looks_are_taken_at_the_planned_shares_of_the_budget(clock: Clock) -> None:
    listener = Told()
    session = run(Scripted(clock, undecided), duration_s=100.5, tell=listener)
    shares = [seconds / 100.5 for seconds, _ in listener.looks]
    assert len(shares) == len(LOOKS)
    for share, planned in zip(shares, LOOKS, strict=True):
        # Each as soon as a pair is over; the last when no further one would fit.
        assert planned <= share + 0.01
        assert share < planned + 0.01
    assert listener.pairs == list(range(1, 101))
    assert session.look is listener.looks[-1][1]
    assert session.look.verdict == "inconclusive"
    assert session.stopped_because == "max_duration"


@pytest.mark.parametrize(("ratio", "verdict"), [(2.0, "slower"), (0.5, "faster"), (1.0, "same")])
def test_it_stops_as_soon_as_the_verdict_is_known(clock: Clock, ratio: float, verdict: str) -> None:
    source = Scripted(clock, lambda number: ratio)
    session = run(source, duration_s=1000.0)
    assert session.look is not None
    assert session.look.verdict == verdict
    assert session.stopped_because == "decided"
    # The first look is after a twentieth of the budget; all pairs agree.
    assert len(session.pairs) == len(source.asked) == 50
    assert session.seconds == 50


def test_the_budget_begins_with_the_trial_and_is_never_exceeded(clock: Clock) -> None:
    source = Scripted(clock, undecided, seconds=3.0, preparing_s=5.0)
    begin = clock.now
    session = run(source, duration_s=20.0)
    assert source.prepared == 1
    # Five pairs and the trial take 20 s.
    assert len(session.pairs) == 5
    assert clock.now - begin == 20
    assert session.seconds == 20


def test_a_pair_that_is_longer_than_the_budget_is_ended_with_it(clock: Clock) -> None:
    begin = clock.now
    session = run(Scripted(clock, undecided, seconds=3.0), duration_s=2.0)
    assert clock.now - begin == 2
    assert session.pairs == []
    assert session.look is None
    assert session.spent is not None
    assert session.failure is None
    assert session.seconds == 2


def test_a_pair_that_the_budget_ends_is_dropped_and_those_before_are_judged(clock: Clock) -> None:
    spent = BudgetSpent("it lasts", 3.0, at_least=True)
    session = run(Scripted(clock, lambda number: 2.0, at={20: spent}), duration_s=1000.0)
    assert session.spent is spent
    assert len(session.pairs) == 20
    assert session.look is not None
    assert (session.look.verdict, session.look.pairs) == ("slower", 20)
    assert session.stopped_because == "decided"


def test_the_budget_can_be_used_up_for_the_narrowest_interval(clock: Clock) -> None:
    listener = Told()
    session = run(
        Scripted(clock, lambda number: 2.0), duration_s=100.5, tell=listener, stop_early=False
    )
    assert len(listener.looks) == 1
    assert len(session.pairs) == 100
    assert session.look is not None
    assert session.look.verdict == "slower"


def test_a_failure_ends_it_and_keeps_the_pairs_before(clock: Clock) -> None:
    failure = SideFailed("current", "it broke")
    session = run(Scripted(clock, undecided, at={7: failure}), duration_s=100.0)
    assert session.failure is failure
    assert len(session.pairs) == 7
    assert not session.interrupted


def test_a_high_quantile_is_judged_by_all_samples_of_a_pair(clock: Clock) -> None:
    design = TailDesign(0.2, 0.01, 0.95)
    source = Scripted(clock, lambda number: 2.0)
    session = run_session(
        source,
        design,
        statistic="p95",
        duration_s=1000.0,
        generator=random.Random(1),
        stop_early=True,
        tell=Told(),
    )
    assert session.look is not None
    assert session.look.verdict == "slower"
    # A pair has one sample: forty pairs are a group, and eight groups an interval.
    assert design.units >= 8
    assert len(session.pairs) == design.pairs >= 8 * design.least_samples


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_a_side_whose_value_has_no_ratio_has_failed(clock: Clock, value: float) -> None:
    session = run(Scripted(clock, lambda number: value), duration_s=100.0)
    assert session.failure is not None
    assert session.failure.side == "current"
    assert mentions(str(session.failure), "ratio", "formed")
    assert session.pairs == []


class TestCtrlC:
    def test_during_a_pair_it_is_the_last_look(self, clock: Clock) -> None:
        source = Scripted(clock, lambda number: 2.0, at={20: KeyboardInterrupt()})
        session = run(source, duration_s=1000.0)
        assert session.interrupted
        assert len(session.pairs) == 20
        assert session.look is not None
        assert session.look.verdict == "slower"
        assert session.look.pairs == 20

    def test_before_the_first_pair_there_is_none(self, clock: Clock) -> None:
        session = run(Scripted(clock, undecided, at={0: KeyboardInterrupt()}), duration_s=10.0)
        assert session.interrupted
        assert session.look is None
        assert session.pairs == []

    @pytest.mark.parametrize("ratio", [2.0, 1.0])
    def test_after_the_verdict_it_does_not_take_it_away(self, clock: Clock, ratio: float) -> None:
        def press(look: Look | None, pairs: int, seconds: float) -> None:
            if look is not None:
                raise KeyboardInterrupt

        session = run(Scripted(clock, lambda number: ratio), duration_s=1000.0, tell=press)
        assert session.interrupted
        assert session.look is not None
        assert session.look.verdict == ("slower" if ratio > 1 else "same")

    def test_after_the_last_look_it_does_not_look_again(self, clock: Clock) -> None:
        last: list[Look] = []

        def press(look: Look | None, pairs: int, seconds: float) -> None:
            if pairs == 100:
                assert look is not None
                last.append(look)
                raise KeyboardInterrupt

        session = run(Scripted(clock, undecided), duration_s=100.5, tell=press)
        assert session.look is last[0]
        assert session.look.ratio.low is not None


def test_what_is_costly_to_verify_is_verified_less_often(clock: Clock) -> None:
    source = Scripted(clock, undecided, verifying_s=1.0)
    run(source, duration_s=200.0)
    verified = [number for number, (_, _, verify) in enumerate(source.asked) if verify]
    # First of all; and never more than a tenth of the time.
    assert verified[0] == 0
    assert 5 <= len(verified) <= 11

    cheap = Scripted(clock, undecided)
    run(cheap, duration_s=50.0)
    assert all(verify for _, _, verify in cheap.asked)


def test_a_coin_decides_who_goes_first_and_a_seed_the_coin(clock: Clock) -> None:
    def asked(seed: int) -> Sequence[tuple[Side, int, bool]]:
        source = Scripted(clock, undecided)
        run(source, duration_s=100.0, seed=seed)
        return source.asked

    first = asked(1)
    assert asked(1) == first
    assert asked(2) != first
    heads = sum(side == "baseline" for side, _, _ in first)
    assert 25 < heads < 75
    # What both sides draw is new in every pair.
    assert len({seed for _, seed, _ in first}) == len(first)


def test_a_statistic_is_of_the_samples_of_one_process() -> None:
    arm = Arm("p", 0, 1, np.arange(1.0, 102.0), items=3.0)
    assert value_of(arm, "p50") == 51
    assert value_of(arm, "p95") == 96
    assert value_of(arm, "p99") == 100
    assert value_of(arm, "mean") == 51
    # Time an item: what is slower is larger, as with the others.
    assert value_of(arm, "throughput") == 17
