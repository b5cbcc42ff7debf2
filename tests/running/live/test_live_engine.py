"""A whole live comparison: what is judged how, without processes; and with two real sides."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.analysis.comparison import Difference, Side
from stratoperf.analysis.paired_design import Look
from stratoperf.running.live import LiveListener, engine
from stratoperf.running.live import session as session_module
from stratoperf.running.live.cases import Agenda, LiveCase
from stratoperf.running.live.pair_source import SIDES, Arm, SideFailed
from wording import mentions, says

EnvironmentOf = Callable[..., sp.Environment]
Compare = Callable[..., sp.Comparison]

NOTHING = sp.Command(("true",))


class World:
    """Stands in for the clock and for all processes: chosen ratios by case."""

    def __init__(self, ratios: Mapping[str, float]) -> None:
        self.ratios = ratios
        self.now = 0.0
        self.failing: dict[str, Side] = {}
        self.firsts: list[Side] = []
        self.current = iter(ratios)

    def monotonic(self) -> float:
        return self.now

    def source(self, commands: Any, timeout_s: float, prepare: str | None) -> Source:
        self.timeout_s = timeout_s
        return Source(self, next(self.current))

    def cases(self) -> tuple[LiveCase, ...]:
        return tuple(
            LiveCase(
                key=f"{name}[backend=cpu]",
                benchmark=name,
                version=1,
                category="single-node",
                backend="cpu",
                params={},
            )
            for name in self.ratios
        )


class Source:
    """Measures one case of a world; a pair takes a second."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.random = np.random.default_rng(len(name))

    def prepare(self, deadline: float) -> None:
        pass

    def floor(self) -> None:
        return None

    def measure(self, first: Side, seed: int, *, verify: bool, deadline: float) -> dict[Side, Arm]:
        self.world.now += 1
        self.world.firsts.append(first)
        if self.name in self.world.failing:
            raise SideFailed(self.world.failing[self.name], "it broke")
        factors = {"baseline": 1.0, "current": self.world.ratios[self.name]}
        return {
            # The slowest tenth is where the sides differ by half as much again.
            side: Arm(
                f"{side}{seed}",
                int(self.world.now * 1e9),
                10,
                factors[side] * 1000 * np.repeat([1, factors[side] ** 0.5], [90, 10])
                * self.random.normal(1, 0.001),
                items=5.0,
                item_unit="votes",
            )
            for side in SIDES
        }  # fmt: skip


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Return a comparison of a world."""

    def compare(
        world: World, *, differences: Sequence[Difference] = (), **options: Any
    ) -> sp.Comparison:
        agenda = Agenda(
            cases=world.cases(), seconds=20.5, differences=tuple(differences), warnings=("mind it",)
        )
        monkeypatch.setattr(engine, "make_agenda", lambda *_: agenda)
        monkeypatch.setattr(engine, "CommandPairs", world.source)
        monkeypatch.setattr(session_module, "time", world)
        return sp.compare_live(NOTHING, NOTHING, **{"duration_s": 100.5, "seed": 1, **options})

    return compare


def test_the_first_pattern_that_matches_a_benchmark_has_its_threshold(compare: Compare) -> None:
    world = World({"kv.put": 1.2, "kv.get": 1.2, "consensus.round": 1.2})
    comparison = compare(
        world, threshold=0.1, thresholds={"kv.p*": 0.5, "kv.*": 0.3, "*.put": 0.05}
    )
    assert {
        metric.benchmark: (metric.threshold, metric.verdict) for metric in comparison.metrics
    } == {
        "kv.put": (0.5, "same"),
        "kv.get": (0.3, "same"),
        "consensus.round": (0.1, "slower"),
    }
    assert comparison.verdict == "slower"
    assert comparison.warnings[0] == "mind it"


def test_the_admissible_error_is_shared_out_among_the_cases(compare: Compare) -> None:
    one = compare(World({"a": 1.0}), confidence=0.96)
    four = compare(World({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}), confidence=0.96)
    assert one.confidence == four.confidence == 0.96
    assert [metric.ratio.confidence for metric in one.metrics if metric.ratio] == [0.96]
    shares = [metric.ratio.confidence for metric in four.metrics if metric.ratio]
    assert shares == pytest.approx([0.99] * 4)
    assert "shared out among 4 cases" in four.method
    assert "shared out" not in one.method
    # So an interval needs more pairs, and the first look that can decide comes later.
    assert (four.metrics[0].pairs or 0) > (one.metrics[0].pairs or 0)


@pytest.mark.parametrize(
    ("statistic", "ratio", "metric", "unit", "better"),
    [
        ("p50", 1.2, "latency", "ns", "lower"),
        ("p95", 1.2**1.5, "latency", "ns", "lower"),
        ("p99", 1.2**1.5, "latency", "ns", "lower"),
        ("mean", 1.2 * (0.9 + 0.1 * 1.2**0.5), "latency", "ns", "lower"),
        ("throughput", 1.2 * (0.9 + 0.1 * 1.2**0.5), "throughput", "votes/s", "higher"),
    ],
)
def test_a_statistic_is_judged_so_that_above_one_is_slower(
    compare: Compare, statistic: str, ratio: float, metric: str, unit: str, better: str
) -> None:
    (found,) = compare(World({"a": 1.2}), statistic=statistic).metrics
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(ratio, rel=0.005)
    assert (found.metric, found.unit, found.better) == (metric, unit, better)
    assert found.statistic == ("mean" if statistic == "throughput" else statistic)
    assert found.verdict == "slower"
    assert found.effect == 1.0
    assert found.baseline is not None
    assert found.current is not None
    quotient = found.current.value / found.baseline.value
    assert quotient == pytest.approx(ratio if better == "lower" else 1 / ratio, rel=0.005)
    for side in (found.baseline, found.current):
        assert side.low is not None
        assert side.high is not None
        assert side.low <= side.value <= side.high
    if statistic == "throughput":
        assert found.baseline.value == pytest.approx(5e9 / 1000, rel=0.01)


def test_a_seed_tosses_the_same_coins(compare: Compare) -> None:
    def firsts(seed: int | None) -> list[Side]:
        world = World({"a": 1.05})
        compare(world, seed=seed)
        return world.firsts

    assert firsts(3) == firsts(3)
    assert firsts(3) != firsts(4)
    assert firsts(None) != firsts(None)


def test_the_budget_is_each_cases_own(compare: Compare) -> None:
    comparison = compare(World({"a": 1.05, "b": 2.0, "c": 1.05}), duration_s=40.5)
    assert [metric.pairs for metric in comparison.metrics] == [40, 15, 40]
    assert comparison.metrics[1].seconds == 15


def test_a_case_that_fails_is_told_and_the_others_are_compared(compare: Compare) -> None:
    world = World({"a": 1.0, "b": 1.0, "c": 2.0})
    world.failing = {"b": "current"}
    only_in = Difference(what="only in baseline", key="d", baseline="d")
    # Cases of environments go on; those of commands end it.
    with pytest.raises(SideFailed, match="current: it broke") as caught:
        compare(world, differences=[only_in])
    comparison = caught.value.comparison
    assert comparison is not None
    assert [metric.verdict for metric in comparison.metrics] == ["same", "inconclusive", "slower"]
    assert comparison.metrics[1].why == "current failed: it broke"
    assert comparison.metrics[1].ratio is None
    assert [(failure.key, failure.side, failure.why) for failure in comparison.failures] == [
        ("b[backend=cpu]", "current", "it broke")
    ]
    assert comparison.differences[0] == only_in
    assert comparison.differences[1].current == "failed: it broke"


def test_a_listener_hears_of_everything(compare: Compare, tmp_path: Path) -> None:
    heard: list[Any] = []

    class Ear(LiveListener):
        def planned(self, plan: Agenda) -> None:
            heard.append(([case.key for case in plan.cases], plan.seconds, plan.warnings))

        def case_started(self, index: int, case: LiveCase) -> None:
            heard.append((index, case.key))

        def pair(
            self, index: int, case: LiveCase, look: Look | None, pairs: int, seconds: float
        ) -> None:
            heard.append((index, case.key, look is not None, pairs, seconds))

        def case_finished(self, index: int, case: LiveCase, outcome: sp.ComparedMetric) -> None:
            heard.append((index, case.key, outcome.verdict))

        def saved(self, path: Path) -> None:
            heard.append(path)

    comparison = compare(World({"a": 2.0}), duration_s=20.5, listener=Ear(), output=tmp_path)
    assert heard[0] == (["a[backend=cpu]"], 20.5, ("mind it",))
    assert heard[1] == (0, "a[backend=cpu]")
    assert heard[2] == (0, "a[backend=cpu]", False, 1, 1.0)
    assert heard[-3][:3] == (0, "a[backend=cpu]", True)
    assert heard[-2] == (0, "a[backend=cpu]", "slower")
    assert str(heard[-1]) == comparison.run_path


def test_too_few_pairs_are_told_with_the_time_that_it_takes(compare: Compare) -> None:
    (metric,) = compare(World({"a": 1.0}), duration_s=3.5).metrics
    assert metric.verdict == "inconclusive"
    assert metric.pairs == 3
    assert mentions(metric.why, "3 pairs", "3 s", "8")
    assert "at least 11 s (--duration 11s)" in metric.why


def test_a_case_near_the_threshold_is_told_what_would_probably_settle_it(compare: Compare) -> None:
    (metric,) = compare(World({"a": 1.0508}), threshold=0.05, duration_s=20.5).metrics
    assert metric.verdict == "inconclusive"
    assert re.search(r"holds 1\.05; a budget of (\d+) s \(--duration \1s\)", metric.why)


def test_a_case_on_the_threshold_gets_no_promise(compare: Compare) -> None:
    (metric,) = compare(World({"a": 1.05}), threshold=0.05, duration_s=20.5).metrics
    assert metric.verdict == "inconclusive"
    assert mentions(metric.why, "holds 1.05", "budget")
    assert "--duration" not in metric.why


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"threshold": 0}, says("threshold:", "0", "above 0", "0.05")),
        ({"threshold": 50}, "5 % is 0.05"),
        ({"thresholds": {"kv.*": -1}}, says("thresholds['kv.*']:", "-1", "above 0")),
        ({"statistic": "p59"}, says("statistic:", "'p59'", "did you mean")),
        ({"confidence": 1}, says("confidence:", "below 1", "got 1")),
        ({"confidence": 99}, says("confidence:", "below 1", "99")),
        ({"duration_s": 0}, says("duration_s:", "above 0", "got 0")),
        ({"duration_s": 1e9}, says("duration_s:", "at most 3.6e+06", "1000000000.0")),
        ({"duration_s": "x"}, says("duration_s:", "number", "'x'")),
        ({"timeout_s": float("nan")}, says("timeout_s:", "above 0", "nan")),
        ({"seed": -1}, says("seed:", "from 0", "-1")),
        ({"seed": 1.5}, says("seed:", "integer", "1.5")),
        ({"seed": 2**70}, says("seed:", "2**63 - 1")),
        ({"select": "kv.*"}, says("select:", "leave it out")),
        ({"current": sp.Environment()}, says("baseline, current:", "Command", "Environment")),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_measured(
    options: dict[str, Any], why: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=why):
        sp.compare_live(**{"baseline": NOTHING, "current": NOTHING, **options})


WORK = """
    @sp.benchmark("t.work", params={"work": [2000]}, items=2.0, item_unit="halves")
    def work(work):
        return lambda: sum(range(work))

    @sp.benchmark("t.wrong")
    def wrong():
        def verify():
            raise sp.VerificationFailed("a vote is lost")
        return sp.Operation(lambda: None, verify=verify)
    """


@pytest.mark.timing
def test_real_work_three_times_as_long_is_slower(environment_of: EnvironmentOf) -> None:
    baseline = environment_of(WORK, work=2000)
    current = sp.Environment(baseline.python, {"work": 6000}, baseline.modules)
    # A look can decide with nine pairs. On a quiet machine they take a tenth of the budget, and on
    # a busy one they still fit.
    comparison = sp.compare_live(baseline, current, "t.work", duration_s=30.0, confidence=0.8)
    (metric,) = comparison.metrics
    assert metric.verdict == "slower", metric.why
    assert metric.ratio is not None
    assert 2 < metric.ratio.value < 4
    assert comparison.failures == ()


def test_a_high_quantile_of_short_work_says_that_it_is_of_means(
    environment_of: EnvironmentOf,
) -> None:
    side = environment_of(WORK, work=1)
    comparison = sp.compare_live(
        side, side, "t.work", statistic="p95", duration_s=10.0, threshold=5, confidence=0.5
    )
    (metric,) = comparison.metrics
    assert metric.statistic == "p95"
    assert metric.pairs
    assert metric.ratio is not None
    assert mentions(metric.ratio.method, "shares", "beyond")
    assert mentions(comparison.method, "quantile", "equally")
    (note,) = (warning for warning in comparison.warnings if "p95 is that of means" in warning)
    assert note.startswith(metric.key)


def test_a_wrong_outcome_fails_the_case_and_not_the_others(environment_of: EnvironmentOf) -> None:
    side = environment_of(WORK)
    comparison = sp.compare_live(
        side, side, ["t.wrong", "t.work"], duration_s=10.0, threshold=5, confidence=0.5
    )
    (failure,) = comparison.failures
    assert failure.key == "t.wrong[backend=cpu]"
    assert failure.why == "a vote is lost"
    pairs = {metric.benchmark: metric.pairs or 0 for metric in comparison.metrics}
    assert pairs["t.wrong"] == 0
    assert pairs["t.work"] > 0
