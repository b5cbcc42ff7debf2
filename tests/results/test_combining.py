"""The result of a case from its parts."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from stratoperf.errors import SchemaError
from stratoperf.results.combining import combined, in_short
from stratoperf.results.schema import Metric, MetricSummary, Result
from stratoperf.results.validation import read_result
from stratoperf.statistics import Estimate, mean, summarize
from stratoperf.statistics.estimates import QUANTILES
from wording import says

Tree = dict[str, Any]
MakePart = Callable[..., Tree]

_NUMBERS = itertools.count(1)


@pytest.fixture(autouse=True)
def _numbers_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the samples of a test anew, whichever tests ran before it."""
    monkeypatch.setitem(globals(), "_NUMBERS", itertools.count(1))


def metric_of(samples: NDArray[np.float64], unit: str = "ns", **fields: Any) -> Tree:
    summary = msgspec.structs.asdict(summarize(samples))
    del summary["stopped_because"]
    tree: Tree = msgspec.to_builtins(
        Metric(
            unit=unit,
            summary=MetricSummary(**summary),
            mean=mean(samples),
            **{"better": "lower", "primary": True, **fields},
        )
    )
    return tree


def part_of(level: float = 100.0, count: int = 400, **changes: Any) -> Tree:
    """Return a part whose samples lie around a level; `changes` replace its keys."""
    number = next(_NUMBERS)
    random = np.random.default_rng(number)
    samples = level * np.exp(0.02 * random.standard_normal(count))
    rate = metric_of(1e9 / samples, "puts/s", better="higher", primary=False)
    return {
        "key": "kv.put[backend=cpu]",
        "benchmark": "kv.put",
        "benchmark_version": 1,
        "category": "single-node",
        "backend": "cpu",
        "params": {},
        "status": "ok",
        "reason": None,
        "below_standard": [],
        "metrics": {"latency": metric_of(samples), "throughput": rate},
        "series": [
            {
                "system": "box",
                "process": f"p{number}",
                "arm": None,
                "pair": None,
                "started_ns": number * 10**9,
                "batch": 1,
                "columns": {"latency": samples},
            }
        ],
        "warmup": {"seconds": 0.5, "iterations": 10},
        "verification": {"checked": 2, "passed": True},
        "environment": environment(),
        "stopped_because": "precision",
        "items": 1.0,
        "item_unit": "puts",
        "warnings": [],
        "notes": [],
        **changes,
    }


def environment(**changes: Any) -> Tree:
    return {
        "seconds": 1.0,
        "steal_percent": 0.5,
        "waiting_percent": None,
        "other_load": 0.1,
        "involuntary_switches": 3,
        "voluntary_switches": 4,
        "page_faults": {"minor": 10, "major": 1},
        "cpu_frequency": {"start_mhz": 3000.0, "end_mhz": 3000.0, "start_cpu": 0, "end_cpu": 0},
        "throttling": {"thermal_events": 0, "quota_ms": None, "pi_flags": None},
        "load_average": [0.1, 0.2, 0.3],
        "gpu_utilization": None,
        **changes,
    }


def parts_around(levels: Iterable[float], **changes: Any) -> list[Tree]:
    return [part_of(level, **changes) for level in levels]


def read(tree: Tree) -> Result:
    return read_result(tree, "result", None)


def latency(tree: Tree) -> Metric:
    return read(tree).metrics["latency"]


def summary(tree: Tree, name: str = "latency") -> MetricSummary:
    found = read(tree).metrics[name].summary
    assert found is not None
    return found


def estimates(tree: Tree) -> dict[tuple[str, str], Estimate | None]:
    return {
        (name, statistic): metric.statistic(statistic)
        for name, metric in read(tree).metrics.items()
        for statistic in ("mean", *QUANTILES)
    }


SPREAD = [100.0, 104.0, 97.0, 102.0, 99.0, 106.0, 95.0, 101.0]


def test_one_part_keeps_its_estimates_and_says_that_they_are_of_this_process() -> None:
    part = part_of()
    tree = combined([part])
    assert estimates(tree) == estimates(part)
    assert summary(tree).scope == "this process"
    assert summary(tree).processes == 1
    assert read(tree).variation is None
    assert tree["series"] == part["series"]


def test_several_parts_have_estimates_over_processes_that_say_so() -> None:
    tree = combined(parts_around(SPREAD))
    found = summary(tree)
    assert (found.processes, found.scope, found.count) == (8, "8 processes", 8 * 400)
    assert found.p50 is not None
    assert found.p50.value == pytest.approx(100.5, rel=0.01)
    assert "8 processes" in found.p50.method
    assert found.p50.low is not None
    # The scatter is that between the processes, not the 0.1 % that the samples of each suggest.
    assert found.p50.low < 98.5


def test_what_counts_is_summed_and_extremes_are_of_all_samples() -> None:
    parts = parts_around(SPREAD)
    tree = combined(parts)
    found = summary(tree)
    samples = np.concatenate([part["series"][0]["columns"]["latency"] for part in parts])
    assert found.min == samples.min()
    assert found.max == samples.max()
    assert found.stdev == pytest.approx(samples.std(ddof=1))
    assert found.outliers is not None
    own = [summary(part).outliers for part in parts]
    assert found.outliers.count == sum(entry.count for entry in own if entry is not None)
    assert read(tree).warmup == msgspec.convert(
        {"seconds": 4.0, "iterations": 80}, type(read(tree).warmup)
    )
    assert tree["verification"] == {"checked": 16, "passed": True}
    assert len(tree["series"]) == 8


@pytest.mark.parametrize("count", [2, 3, 5, 6, 8, 20])
@pytest.mark.parametrize("samples", [1, 2, 25, 300])
def test_values_lie_within_their_bounds_and_quantiles_in_order(count: int, samples: int) -> None:
    random = np.random.default_rng([count, samples])
    tree = combined(parts_around(100 * np.exp(0.1 * random.standard_t(3, count)), count=samples))
    for name in ("latency", "throughput"):
        found = [getattr(summary(tree, name), quantile) for quantile in QUANTILES]
        for entry in found:
            assert entry.low is None or entry.low <= entry.value
            assert entry.high is None or entry.value <= entry.high
        values = [item.value for item in found]
        assert values == sorted(values)


def test_the_order_of_the_parts_does_not_matter() -> None:
    parts = parts_around(SPREAD)
    tree = combined(parts)
    for order in (parts[::-1], parts[3:] + parts[:3]):
        other = combined(order)
        assert other["metrics"] == tree["metrics"]
        assert other["variation"] == tree["variation"]
        assert other["environment"] == tree["environment"]


@pytest.mark.parametrize("factor", [1e-3, 1e6])
@pytest.mark.parametrize("samples", [25, 400])
def test_estimates_scale_with_the_unit(factor: float, samples: int) -> None:
    parts = parts_around(SPREAD, count=samples)
    scaled = []
    for part in parts:
        again = copy.deepcopy(part)
        column = factor * again["series"][0]["columns"]["latency"]
        again["series"][0]["columns"]["latency"] = column
        again["metrics"] = {"latency": metric_of(column)}
        scaled.append(again)
    before, after = estimates(combined(parts)), estimates(combined(scaled))
    for statistic in ("mean", *QUANTILES):
        one, other = before["latency", statistic], after["latency", statistic]
        assert one is not None
        assert other is not None
        for name in ("value", "low", "high"):
            expected = getattr(one, name)
            assert getattr(other, name) == (
                None if expected is None else pytest.approx(factor * expected)
            )


def test_the_tail_of_few_samples_a_process_is_pooled_over_all() -> None:
    tree = combined(parts_around(SPREAD, count=125))
    found = summary(tree)
    assert found.p99 is not None
    assert "pooled" in found.p99.method
    assert found.p50 is not None
    assert "pooled" not in found.p50.method


@pytest.mark.parametrize(
    ("sources", "earlier"),
    [
        (["a", "a", "a"], None),
        ([None, None, None], None),
        (["a", "b", "b"], "1 of 3 processes"),
        ([None, "b", "b"], None),
        (["a", "b", None], "1 of 3 processes"),
        (["a", "b", "c"], "2 of 3 processes"),
    ],
)
def test_processes_from_before_the_benchmark_was_edited_are_told(
    sources: list[str | None], earlier: str | None
) -> None:
    tree = combined([part_of(source=source) for source in sources])
    matching = [note for note in tree["notes"] if "was changed; start a new run" in note]
    assert len(matching) == (earlier is not None)
    assert not matching or matching[0].startswith(str(earlier))
    assert tree["source"] == sources[-1]


@pytest.mark.parametrize(
    ("batches", "words"),
    [
        ([1, 1, 1], ""),
        ([7, 7, 7], "; of means over batches of 7 iterations"),
        ([1, 7, 7], "; of means over batches of different sizes"),
        ([2, 3, 4], "; of means over batches of different sizes"),
    ],
)
def test_every_estimate_says_what_batches_its_samples_are_means_of(
    batches: list[int], words: str
) -> None:
    parts = []
    for batch in batches:
        part = part_of(count=100)
        part["series"][0]["batch"] = batch
        if batch > 1:
            for name in QUANTILES:
                part["metrics"]["latency"]["summary"][name]["method"] += (
                    f"; of means over batches of {batch} iterations"
                )
        parts.append(part)
    found = summary(combined(parts))
    for name in QUANTILES:
        estimate = getattr(found, name)
        assert estimate is not None
        assert "".join(estimate.method.partition("; of means")[1:]) == words


def test_the_tail_of_samples_that_cannot_be_read_says_that_it_lies_too_low() -> None:
    parts = parts_around(SPREAD, count=125)
    for part in parts:
        part["series"][0]["columns"]["latency"] = {"file": "a.npz", "member": "x", "sha256": "0"}
    tree = combined(parts)
    found = summary(tree)
    assert found.p99 is not None
    assert "too low" in found.p99.method
    assert tree["series"][0]["columns"] == parts[0]["series"][0]["columns"]


def test_slow_processes_are_the_finding() -> None:
    tree = combined(parts_around([100, 100, 150, 100, 100, 150, 100, 100]))
    found = read(tree).variation
    assert found is not None
    assert found.slow_processes == 2
    assert found.slower_by == pytest.approx(0.5, abs=0.02)
    assert found.within == pytest.approx(0.02, rel=0.2)
    assert found.extent == pytest.approx(0.5, abs=0.05)


def test_a_drift_over_the_run_is_told_with_its_size_and_chance() -> None:
    tree = combined(parts_around([100, 102, 104, 106, 108, 110, 112, 114]))
    found = read(tree).variation
    assert found is not None
    assert found.drift == pytest.approx(0.13, abs=0.02)
    assert found.drift_chance is not None
    assert found.drift_chance < 0.001
    calm = read(combined(parts_around(SPREAD))).variation
    assert calm is not None
    assert calm.drift_chance is not None
    assert calm.drift_chance > 0.05


def test_the_environment_is_that_of_the_whole_and_of_each_process() -> None:
    parts = parts_around(SPREAD[:3])
    parts[1]["disturbed"] = "others had the CPU"
    parts[1]["environment"] = environment(
        steal_percent=7.0,
        waiting_percent=2.0,
        cpu_frequency={"start_mhz": 3000.0, "end_mhz": 2000.0, "start_cpu": 1, "end_cpu": 1},
        throttling={"thermal_events": 2, "thermal_ms": 30, "quota_ms": 5.0, "pi_flags": 4},
    )
    tree = combined(parts)
    whole = tree["environment"]
    assert whole["seconds"] == 3.0
    assert whole["steal_percent"] == 7.0
    assert whole["waiting_percent"] == 2.0
    assert whole["involuntary_switches"] == 9
    assert whole["page_faults"] == {"minor": 30, "major": 3}
    assert whole["cpu_frequency"]["end_mhz"] == 2000.0
    assert whole["throttling"] == {
        "thermal_events": 2,
        "thermal_ms": 30,
        "quota_ms": 5.0,
        "pi_flags": 4,
    }
    own = tree["processes"]
    assert [part["environment"]["steal_percent"] for part in own] == [0.5, 7.0, 0.5]
    assert [entry["disturbed"] for entry in own] == [None, "others had the CPU", None]
    assert all(item["process"] for item in own)


def test_what_is_left_out_is_told_as_what_counts() -> None:
    parts = parts_around(SPREAD[:3])
    parts[2]["disturbed"] = "the hypervisor took the CPU"
    tree = combined(parts[:2]) | {"left_out": in_short(parts[2:])}
    (out,) = read_result(tree, "result", None).left_out
    assert out == read_result(combined(parts), "result", None).processes[2]


def test_each_process_is_told_in_short() -> None:
    parts = parts_around(SPREAD[:3])
    parts[1]["disturbed"] = "the hypervisor took the CPU"
    own = read_result(combined(parts), "result", None).processes
    assert [item.disturbed for item in own] == [None, "the hypervisor took the CPU", None]
    for part, entry in zip(parts, own, strict=True):
        first = part["series"][0]
        assert (entry.process, entry.started_ns) == (first["process"], first["started_ns"])
        median = summary(part).p50
        assert median is not None
        assert entry.metrics["latency"]["p50"] == median.value
        assert entry.metrics["latency"]["mean"] == part["metrics"]["latency"]["mean"]["value"]
    assert "processes" not in combined(parts[:1])


def test_warnings_and_notes_say_how_many_processes_they_concern() -> None:
    parts = parts_around(SPREAD[:4])
    parts[0]["warnings"] = ["waited for a CPU 3.1 % of the time"]
    parts[2]["warnings"] = ["waited for a CPU 12.5 % of the time"]
    for part in parts:
        part["notes"] = ["sets a limit"]
    tree = combined(parts)
    assert tree["warnings"] == ["waited for a CPU 12.5 % of the time (2 of 4 processes)"]
    assert tree["notes"] == ["sets a limit"]


def test_a_metric_that_a_process_lacks_is_over_the_others_and_noted() -> None:
    parts = parts_around(SPREAD)
    del parts[5]["metrics"]["throughput"]
    tree = combined(parts)
    assert summary(tree, "throughput").processes == 7
    assert summary(tree).processes == 8
    assert any("throughput" in note and "7 of 8" in note for note in tree["notes"])


def test_a_metric_in_another_unit_is_left_out_and_noted() -> None:
    parts = parts_around(SPREAD)
    parts[0]["metrics"]["latency"]["unit"] = "ms"
    tree = combined(parts)
    assert latency(tree).unit == "ns"
    assert summary(tree).processes == 7
    assert any("another unit" in note and "latency" in note for note in tree["notes"])


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_metrics_may_be_zero_or_negative(scale: float) -> None:
    parts = parts_around(SPREAD)
    for index, part in enumerate(parts):
        samples = scale * np.arange(1.0, 40.0) + index % 2
        part["metrics"]["margin"] = metric_of(samples, "points", primary=False)
        part["series"].append({**part["series"][0], "columns": {"margin": samples}})
    found = summary(combined(parts), "margin")
    assert found.p50 is not None
    assert found.p50.low is not None
    assert found.p50.low <= found.p50.value


def test_what_processes_say_of_how_they_worked_is_noted_where_it_differs() -> None:
    parts = parts_around(SPREAD[:3])
    for part, lanes in zip(parts, (8, 8, 16), strict=True):
        part["details"] = {"lanes": lanes, "name": "same"}
    tree = combined(parts)
    assert any("lanes" in note and "name" not in note for note in tree["notes"])


def test_the_value_at_reference_speed_takes_the_machine_out() -> None:
    slowness = [1.0, 1.3, 1.0, 1.3, 1.0, 1.3, 1.0, 1.3, 1.0]
    parts = [
        part_of(100 * slow, environment=environment(reference={"integer_ns": 2.0 * slow}))
        for slow in slowness
    ]
    tree = combined(parts)
    found = summary(tree).at_reference_speed
    assert found is not None
    assert found.value == pytest.approx(100, rel=0.01)
    assert found.low is not None
    assert found.high is not None
    assert found.high / found.low < 1.01
    assert "integer" in found.method
    rate = summary(tree, "throughput").at_reference_speed
    assert rate is not None
    assert rate.value == pytest.approx(1e7, rel=0.01)
    usual = summary(combined(parts, usual=2.6)).at_reference_speed
    assert usual is not None
    assert usual.value == pytest.approx(130, rel=0.01)


@pytest.mark.parametrize(
    "reference",
    [None, {}, {"integer_ns": None}, {"integer_ns": 0.0}, {"integer_ns": "x"}, 5, {"memory_ns": 1}],
)
def test_without_readings_there_is_no_value_at_reference_speed(reference: Any) -> None:
    parts = parts_around(SPREAD, environment=environment(reference={"integer_ns": 2.0}))
    parts[3]["environment"] = dict(parts[3]["environment"], reference=reference)
    assert summary(combined(parts)).at_reference_speed is None


HOSTILE = [
    {"environment": {"seconds": "x", "page_faults": 5, "throttling": [], "processes": 1}},
    {"environment": {"seconds": 10**400, "steal_percent": True, "cpu_frequency": {"start_mhz": 0}}},
    {"environment": {"gpu_utilization": {"start_percent": "x"}, "load_average": {}}},
    {"environment": {"throttling": {"pi_flags": -1, "quota_ms": {}}}},
    {"series": [], "warmup": None, "verification": None, "stopped_because": "anything"},
    {"metrics": {}},
    {"metrics": {"latency": {"unit": "ns", "better": "lower"}}},
    {"metrics": {"latency": {"unit": "ns", "better": "lower", "summary": {"count": 0}}}},
    {"details": {"a": [1, {"b": None}]}, "warnings": ["9" * 500 + " times"]},
]


@pytest.mark.parametrize("changes", HOSTILE)
@pytest.mark.parametrize("others", [0, 1, 7])
def test_whatever_a_reader_accepts_can_be_combined(changes: Tree, others: int) -> None:
    tree = combined([*parts_around(SPREAD[:others]), part_of(**changes)])
    read(tree)
    for series in tree["series"]:
        series["columns"] = {}
    json.loads(msgspec.json.encode(tree))


def test_values_of_absurd_sizes_have_bounds_that_a_file_can_hold() -> None:
    parts = parts_around([1e-50, 1e55])
    tree = combined(parts)
    assert summary(tree).p50 is not None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": "other"}, r"parts\[1\]\.key.*other"),
        ({"benchmark_version": 2}, r"parts\[1\]\.benchmark_version"),
        ({"metrics": []}, r"parts\[1\]\.metrics"),
        ({"warmup": {"seconds": -1}}, r"parts\[1\]\.warmup"),
    ],
)
def test_parts_of_another_case_and_broken_ones_are_refused_by_place(
    changes: Tree, message: str
) -> None:
    with pytest.raises(SchemaError, match=message):
        combined([part_of(), part_of(**changes)])


def test_no_parts_are_refused() -> None:
    with pytest.raises(SchemaError, match=says("least", "process")):
        combined([])
