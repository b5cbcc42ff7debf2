"""Comparing runs that were taken earlier."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.analysis.stored.random_walk import random_walk_quantile
from wording import mentions, says

MakeRun = Callable[..., sp.Run]


def block(run_of: MakeRun, values: list[float]) -> list[sp.Run]:
    return [run_of(value) for value in values]


def around(center: float, count: int, scatter: float, seed: int) -> list[float]:
    return list(center * np.exp(scatter * np.random.default_rng(seed).standard_normal(count)))


def only(comparison: sp.Comparison) -> sp.ComparedMetric:
    (metric,) = comparison.metrics
    return metric


def test_blocks_of_calm_runs_are_the_same_slower_or_faster(run_of: MakeRun) -> None:
    base = block(run_of, around(1000, 8, 0.004, 1))
    for factor, verdict in ((1.0, "same"), (1.2, "slower"), (1 / 1.2, "faster")):
        found = only(sp.compare(base, block(run_of, around(1000 * factor, 8, 0.004, 2))))
        assert found.verdict == verdict
        assert found.ratio is not None
        assert found.ratio.value == pytest.approx(factor, rel=0.02)
        assert (found.baseline_processes, found.current_processes) == (8, 8)
        assert "random walk" in found.ratio.method


def test_few_runs_without_a_history_decide_only_beyond_the_widest_known_drift(
    run_of: MakeRun,
) -> None:
    found = only(sp.compare(run_of(1000.0), run_of(1400.0)))
    assert found.verdict == "inconclusive"
    assert mentions(found.why, "4", "runs")
    assert "check --live" in found.why
    assert only(sp.compare(run_of(1000.0), run_of(2000.0))).verdict == "slower"


def test_a_history_bounds_the_drift_of_few_runs(run_of: MakeRun) -> None:
    history = block(run_of, around(1000, 20, 0.005, 3))
    found = only(sp.compare(run_of(1000.0), run_of(1200.0), history=history))
    assert found.verdict == "slower"
    noisy = block(run_of, around(1000, 20, 0.08, 4))
    assert only(sp.compare(run_of(1000.0), run_of(1200.0), history=noisy)).verdict == "inconclusive"


def test_runs_that_alternate_are_paired_and_drift_cancels(run_of: MakeRun) -> None:
    drift = np.cumsum(np.random.default_rng(5).normal(0, 0.1, 24))
    runs = [
        run_of(1000 * float(np.exp(drift[i])) * (1.15 if i % 2 else 1.0), started=i)
        for i in range(24)
    ]
    found = only(sp.compare(runs[::2], runs[1::2], threshold=0.02))
    assert found.pairs == 12
    assert found.ratio is not None
    assert "alternate" in found.ratio.method


def test_more_of_throughput_is_faster_and_the_ratio_says_how_many_times_slower(
    run_of: MakeRun,
) -> None:
    base = block(run_of, around(1000, 8, 0.002, 6))
    slow = block(run_of, around(1300, 8, 0.002, 7))
    latency, throughput = sp.compare(base, slow, statistics=("p50", "throughput")).metrics
    assert latency.verdict == throughput.verdict == "slower"
    assert throughput.better == "higher"
    assert latency.ratio is not None
    assert throughput.ratio is not None
    assert throughput.ratio.value == pytest.approx(latency.ratio.value, rel=0.02)
    assert latency.effect == throughput.effect == 1.0


def test_the_error_is_shared_out_and_what_is_decided_leaves_more_for_the_rest(
    run_of: MakeRun,
) -> None:
    names = [f"kv.op{i}" for i in range(4)]
    base = [run_of(dict.fromkeys(names, value)) for value in around(1000, 6, 0.004, 8)]
    current = [
        run_of({name: value * (1.5 if name == "kv.op0" else 1.0) for name in names})
        for value in around(1000, 6, 0.004, 9)
    ]
    comparison = sp.compare(base, current)
    confidences = {m.benchmark: m.ratio.confidence for m in comparison.metrics if m.ratio}
    assert confidences["kv.op0"] == pytest.approx(1 - 0.01 / 4)
    assert "Holm" in comparison.method
    assert comparison.verdict == "slower"


def test_thresholds_go_by_the_name_of_the_benchmark(run_of: MakeRun) -> None:
    base = [run_of({"a.x": v, "b.x": v}) for v in around(1000, 8, 0.002, 10)]
    slow = [run_of({"a.x": v * 1.1, "b.x": v * 1.1}) for v in around(1000, 8, 0.002, 11)]
    found = {m.benchmark: m for m in sp.compare(base, slow, thresholds={"b.*": 0.5}).metrics}
    assert found["a.x"].verdict == "slower"
    assert found["b.x"].verdict == "same"
    assert found["b.x"].threshold == 0.5


def test_what_is_not_compared_is_listed(run_of: MakeRun) -> None:
    base = run_of({"a.x": 1.0, "b.x": 1.0, "c.x": 1.0})
    document: dict[str, Any] = dict(run_of({"b.x": 1.0, "c.x": 1.0, "d.x": 1.0}).document)
    document["results"][0]["benchmark_version"] = 2
    document["results"][1] |= {"status": "failed", "reason": "boom", "metrics": {}, "series": []}
    comparison = sp.compare(base, sp.Run({**document, "preset": "standard"}))
    assert comparison.metrics == ()
    assert comparison.verdict == "inconclusive"
    found = {(difference.what, difference.key) for difference in comparison.differences}
    assert {
        ("only in baseline", "a.x[backend=cpu,size=64]"),
        ("only in current", "d.x[backend=cpu,size=64]"),
        ("benchmark version", "b.x[backend=cpu,size=64]"),
        ("status", "c.x[backend=cpu,size=64]"),
        ("preset", None),
    } <= found


def test_another_machine_is_a_loud_warning(run_of: MakeRun) -> None:
    comparison = sp.compare(run_of(1.0), run_of(1.0, system="other", model="another"))
    assert comparison.warnings[0].startswith("ANOTHER MACHINE")
    assert any(difference.what == "system" for difference in comparison.differences)


def test_files_and_directories_are_sides_too(run_of: MakeRun, tmp_path: Path) -> None:
    for side in ("old", "new"):
        for number, value in enumerate(around(1000, 5, 0.002, 12)):
            run_of(value).save(tmp_path / side / f"run{number}.json")
    # The newest run lies there twice.
    newest = (tmp_path / "new" / "run4.json").read_bytes()
    (tmp_path / "new" / "latest.json").write_bytes(newest)
    found = only(sp.compare(tmp_path / "old", tmp_path / "new"))
    assert (found.baseline_processes, found.current_processes) == (5, 5)


@pytest.mark.parametrize("values", [[1000.0] * 5, [1000.0]])
def test_constant_samples_have_an_interval_without_width_or_none(
    run_of: MakeRun, values: list[float]
) -> None:
    runs = [run_of(1.0, samples=[value] * 50) for value in values]
    found = only(sp.compare(runs, [run_of(1.0, samples=[1000.0] * 50) for _ in values]))
    assert found.ratio is not None
    assert found.ratio.value == 1.0
    assert found.verdict == ("same" if len(values) > 1 else "inconclusive")


def test_one_sample_makes_a_process(run_of: MakeRun) -> None:
    assert only(sp.compare(run_of(samples=[5.0]), run_of(samples=[5.0]))).verdict == "inconclusive"


@pytest.mark.parametrize("value", [0.0, -5.0])
def test_values_without_a_ratio_are_refused_by_name(run_of: MakeRun, value: float) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"kv\.put.*above 0"):
        sp.compare(run_of(samples=[value] * 9), run_of(1.0))


def test_a_key_that_is_there_twice_is_refused(run_of: MakeRun) -> None:
    document = dict(run_of(1.0).document)
    document["results"] = document["results"] * 2
    with pytest.raises(sp.SchemaError, match="twice"):
        sp.compare(sp.Run(document), run_of(1.0))


def test_files_that_cannot_be_read_are_refused(run_of: MakeRun, tmp_path: Path) -> None:
    good = run_of(1.0).save(tmp_path / "good.json")
    for name, content in {
        "empty.json": b"",
        "cut.json": good.read_bytes()[:100],
        "other.json": json.dumps({"schema": "something/1"}).encode(),
        "nan.json": good.read_bytes().replace(b'"min":', b'"min": NaN, "was":', 1),
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(sp.SchemaError, match=name):
            sp.compare(tmp_path / name, good)
    with pytest.raises(sp.SchemaError):
        sp.compare(tmp_path / "missing.json", good)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(sp.InvalidParameter, match="no run file"):
        sp.compare(tmp_path / "nothing", good)


def test_a_later_minor_version_is_read(run_of: MakeRun) -> None:
    document = {**run_of(1.0).document, "schema": "stratoperf.run/1.3", "novelty": {"a": 1}}
    assert only(sp.compare(sp.Run(document), run_of(1.0))).ratio is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 50}, "5 % is 0.05"),
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": "5"}, says("threshold:", "fraction")),
        ({"threshold": True}, "got True"),
        ({"thresholds": {"a": -1}}, "thresholds"),
        ({"thresholds": [0.1]}, "fractions by pattern"),
        ({"history": 5}, says("history:", "run")),
        ({"statistics": ("p94",)}, "did you mean 'p9"),
        ({"statistics": "p50"}, "sequence"),
        ({"confidence": 1.0}, "confidence"),
    ],
)
def test_arguments_out_of_range_are_refused(
    run_of: MakeRun, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        sp.compare(run_of(1.0), run_of(1.0), **options)


@pytest.mark.parametrize("noise", ["independent", "random walk"])
@pytest.mark.parametrize("count", [5, 10])
def test_blocks_of_identical_code_raise_no_alarm(noise: str, count: int) -> None:
    random = np.random.default_rng([count, len(noise)])
    quantile = random_walk_quantile(count, count, 0.99)
    trials = 4000
    alarms = 0
    for _ in range(trials):
        steps = random.normal(0, 0.05, 2 * count)
        logs = np.cumsum(steps) if noise == "random walk" else steps
        before, after = logs[:count], logs[count:]
        scatter = np.sqrt((before.var() + after.var()) / 2 * count / (count - 1))
        alarms += abs(after.mean() - before.mean()) > quantile * scatter
    # One percent, and four standard errors.
    assert alarms <= trials * 0.01 + 4 * (trials * 0.01) ** 0.5
