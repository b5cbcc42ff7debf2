"""Exports are read by the parsers of their formats, with hostile names too."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import stratoperf as sp
from stratoperf.cli.export_command import FORMATS as OFFERED
from stratoperf.presentation.exports import FORMATS
from stratoperf.results import Run
from stratoperf.running import Registry

HOSTILE = '=cmd|"x" <b>&\\ {a="b"} \u202e| `x` ]]>'


@pytest.fixture
def measured(benchmarks: Registry, measured_here: None) -> Run:
    """Return a run with a result that missed its claim, and one that failed."""

    @sp.benchmark(
        "demo.work",
        params={"size": [1, 2], "name": [HOSTILE]},
        target=sp.Target("latency.p50", "<", 1e-3, "ns"),
    )
    def work(size: int, name: str) -> Any:
        del name
        if size == 2:
            raise ValueError(HOSTILE)
        return lambda: sum(range(100))

    return sp.run("demo.work", preset="ci", duration_s=0.02, warmup_s=0)


@pytest.fixture
def imported(tmp_path: Path) -> Run:
    path = tmp_path / "times.json"
    rows = [
        {"command": HOSTILE, "times": [0.1, 0.2, 0.3]},
        {"command": "plain", "times": [0.1, 0.1, 0.1], "user": 0.05},
    ]
    path.write_text(json.dumps({"results": rows}))
    return sp.import_results(path)


def test_the_command_offers_what_there_is() -> None:
    assert tuple(FORMATS) == OFFERED


@pytest.mark.parametrize("format_", FORMATS)
def test_a_run_without_results_exports(format_: str) -> None:
    empty = Run(
        {
            "schema": "stratoperf.run/1",
            "id": "x",
            "created": "2026-11-03T09:37:00Z",
            "systems": {},
            "results": [],
        }
    )
    assert FORMATS[format_](empty).encode()


def test_csv_has_a_row_for_each_result_and_metric(imported: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](imported))))
    assert [(row["benchmark"], row["metric"]) for row in rows] == [
        (f"'{HOSTILE}", "latency"),
        ("plain", "latency"),
        ("plain", "user_time"),
    ]
    assert float(rows[1]["p50"]) == pytest.approx(1e8)
    assert rows[1]["processes"] == "3"


def test_openmetrics_is_in_base_units_and_reads_back(imported: Run) -> None:
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    families = {
        family.name: family
        for family in parser.text_string_to_metric_families(FORMATS["openmetrics"](imported))
    }
    latency = families["stratoperf_latency_seconds"]
    assert (latency.type, latency.unit) == ("gauge", "seconds")
    values = {
        (sample.labels["benchmark"], sample.labels["statistic"], sample.labels["bound"]): sample
        for sample in latency.samples
    }
    assert values["plain", "p50", "value"].value == pytest.approx(0.1)
    assert any("{a=" in benchmark for benchmark, _, _ in values)
    assert {sample.labels["status"] for sample in families["stratoperf_result"].samples} == {"ok"}


@pytest.mark.parametrize(
    ("unit", "family", "factor"),
    [
        ("ns", "stratoperf_value_seconds", 1e-9),
        ("MiB", "stratoperf_value_bytes", 2**20),
        ("GB/s", "stratoperf_value_bytes_per_second", 1e9),
        ("votes/s", "stratoperf_value_votes_per_second", 1),
        ("votes/ms", "stratoperf_value_votes_per_second", 1e3),
        ("1", "stratoperf_value", 1),
        ("%", "stratoperf_value_ratio", 0.01),
        ("ops/cycle", "stratoperf_value_ops_cycle", 1),
    ],
)
def test_every_unit_has_a_base(imported: Run, unit: str, family: str, factor: float) -> None:
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    document = json.loads(json.dumps(dict(imported.document), default=lambda array: array.tolist()))
    metrics = document["results"][1]["metrics"]
    metrics["value"] = {**metrics["latency"], "unit": unit}
    families = {
        each.name: each
        for each in parser.text_string_to_metric_families(FORMATS["openmetrics"](Run(document)))
    }
    values = [
        sample.value
        for sample in families[family].samples
        if sample.labels["statistic"] == "p50" and sample.labels["bound"] == "value"
    ]
    assert values == [pytest.approx(1e8 * factor)]


def test_bmf_has_a_measure_for_each_statistic_with_its_bounds(imported: Run) -> None:
    document = json.loads(FORMATS["bmf"](imported))
    plain = next(value for key, value in document.items() if key.startswith("plain["))
    assert plain["latency"]["value"] == pytest.approx(1e8)
    assert plain["latency"]["lower_value"] <= plain["latency"]["upper_value"]
    assert plain["user-time-mean"] == {"value": pytest.approx(5e7)}
    assert len(document) == 2


def test_junit_fails_what_failed_and_what_missed_its_claim(measured: Run) -> None:
    suite = ElementTree.fromstring(FORMATS["junit"](measured))[0]
    assert suite.attrib["tests"] == "2"
    kinds = [[child.tag for child in case] for case in suite.findall("testcase")]
    assert kinds == [["failure", "system-out"], ["error", "system-out"]]
    assert suite.attrib["failures"] == suite.attrib["errors"] == "1"


def test_markdown_shows_hostile_names_as_text(measured: Run) -> None:
    text = FORMATS["markdown"](measured)
    assert "<b>" not in text
    assert "\u202e" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    # A bar in a name opens no further column.
    assert {row.replace("\\|", "").count("|") for row in rows} == {8}
    assert "missed" in text
    assert "failed" in text


def test_a_trace_has_the_phases_of_each_process_in_order() -> None:
    measured = sp.run("clock.overhead", preset="ci", duration_s=0.02, warmup_s=0.01, processes=2)
    document = json.loads(FORMATS["trace"](measured))
    phases = [event for event in document["traceEvents"] if event["ph"] == "X"]
    own = [event for event in phases if event["name"] == measured.results[0].key]
    assert len(own) == 2
    assert len({event["tid"] for event in own}) == 2
    assert min(event["ts"] for event in phases) == 0
    series = measured.results[0].series_of("latency")
    total = sum(float(each.columns["latency"].sum()) * each.batch for each in series)
    assert sum(event["dur"] for event in own) == pytest.approx(total / 1e3)
    assert len([event for event in phases if event["name"].startswith("warm-up")]) == 2


def test_what_has_no_time_of_its_own_has_no_place_on_the_timeline(imported: Run) -> None:
    assert json.loads(FORMATS["trace"](imported))["traceEvents"] == []
