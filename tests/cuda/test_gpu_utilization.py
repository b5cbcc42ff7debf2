"""How busy a device is kept: what the driver tells becomes a metric that is judged."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.monitor import gpu_load
from stratoperf.stratoswarm.benchmarks.single_node import utilization
from stratoperf.stratoswarm.synthesis import Matcher, synthetic
from wording import mentions


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the works small enough for the emulator."""

    def matcher(patterns: int, backend: str) -> Matcher:
        table = synthetic.corpus(500)
        return Matcher(table, synthetic.patterns("simple", table, patterns), backend)

    monkeypatch.setattr(utilization, "large_matcher", matcher)
    monkeypatch.setattr(utilization, "VOTES", 500)
    monkeypatch.setattr(gpu_load, "PERIOD_S", 0.02)


def tell(monkeypatch: pytest.MonkeyPatch, answers: list[list[float] | None]) -> None:
    """Let NVML give these answers, again and again."""
    circle = itertools.cycle(answers)
    monkeypatch.setattr(gpu_load, "utilization", lambda files: next(circle))


def run_it() -> Any:
    """Return the result of the benchmark."""
    (result,) = sp.run(
        "gpu.utilization", preset="ci", backend="cuda", duration_s=1.0, params={"patterns": 4}
    ).results
    return result


@pytest.mark.parametrize(
    ("answers", "verdict", "share"),
    [([[97.0], [99.0]], "met", 1.0), ([[3.0, 60.0], [80.0, 5.0]], "missed", 0.0)],
)
@pytest.mark.usefixtures("emulated_cuda", "small")
def test_the_utilization_is_a_metric_held_to_the_published_claim(
    answers: list[list[float] | None],
    verdict: str,
    share: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tell(monkeypatch, answers)
    result = run_it()
    assert result.status == "ok", result.reason
    metric = result.metrics["utilization"]
    assert (metric.unit, metric.better) == ("%", "higher")
    assert metric.target is not None
    assert metric.target.verdict == verdict
    assert result.details["share_above_90_percent"] == share
    assert result.details["integer_steps_per_s"] > 0
    assert any("utilization" in series.columns for series in result.series)
    assert result.verification is not None
    assert result.verification.checked == 4


@pytest.mark.usefixtures("emulated_cuda", "small")
def test_without_nvml_it_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    tell(monkeypatch, [None])
    result = run_it()
    assert result.status == "skipped"
    assert mentions(result.reason, "NVML", "nvidia-smi")


@pytest.mark.usefixtures("emulated_cuda", "small")
def test_an_nvml_that_falls_silent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([[50.0]])
    monkeypatch.setattr(gpu_load, "utilization", lambda files: next(answers, None))
    result = run_it()
    assert result.status == "skipped"
    assert mentions(result.reason, "NVML", "answer")


@pytest.mark.usefixtures("emulated_cuda", "small")
def test_consensus_that_fails_meanwhile_fails_the_benchmark(
    emulated_cuda: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(monkeypatch, [[99.0]])
    monkeypatch.setattr(
        utilization,
        "resident_operation",
        lambda round, batches: sp.Operation(lambda: 1 / 0, name="broken"),
    )
    result = run_it()
    assert result.status == "failed"
    assert "ZeroDivisionError" in result.reason


def test_a_load_forgets_what_was_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_load, "PERIOD_S", 0.01)
    tell(monkeypatch, [[20.0, 40.0]])
    with gpu_load.GpuLoad() as load:
        time.sleep(0.1)
        assert set(load.since(60)) == {40.0}  # the busiest
        with pytest.raises(sp.PrerequisiteMissing, match="did not answer"):
            load.since(0)


def test_it_lasts_half_a_minute_whatever_the_preset() -> None:
    from stratoperf.results.plans import Request
    from stratoperf.running import REGISTRY
    from stratoperf.running.planner import make_plan

    def sampling(**request: Any) -> Any:
        asked = Request(select=("gpu.utilization",), **request)
        (case,) = make_plan(asked, REGISTRY, saves=False).cases
        return case.sampling

    for preset in ("ci", "quick", "standard"):
        planned = sampling(preset=preset)
        assert planned.max_duration_s == utilization.SUSTAINED_S == 30
        assert planned.precision == 0
    assert sampling(preset="ci", duration_s=2.0).max_duration_s == 2


@pytest.mark.gpu
def test_a_real_device_tells_its_utilization() -> None:
    (result,) = sp.run(
        "gpu.utilization", preset="ci", backend="cuda", duration_s=3.0, params={"patterns": 64}
    ).results
    assert result.status == "ok", result.reason
    summary = result.metrics["utilization"].summary
    assert summary is not None
    assert summary.count > 5
