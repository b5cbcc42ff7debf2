"""What the numbers, names and times of a run file can be."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.results.moments import moment_of

Tree = dict[str, Any]

METRIC = ("results", 0, "metrics", "latency")
SUMMARY = (*METRIC, "summary")
RESULT = ("results", 0)
CALM = {"between": 0.01, "extent": 0.02}
SERIES = ("results", 0, "series", 0)

REFUSED: list[tuple[tuple[str | int, ...], Any, str]] = [
    ((*SUMMARY, "count"), -1, "summary.count: expected int >= 0"),
    ((*SUMMARY, "count"), 2**64, "summary.count: .*65 bits"),
    ((*SUMMARY, "count"), 2**63, "summary.count: expected int <= 9223372036854775807"),
    ((*SUMMARY, "min"), 31.0, "summary.min: 31 .* max, 30"),
    ((*SUMMARY, "mean"), 1e300, "summary.mean: expected 0 or a number of a magnitude"),
    (
        (*SUMMARY, "p50"),
        {"value": 1.0, "low": 2.0, "high": 0.5, "confidence": 0.95, "method": ""},
        "p50.low: 2 .* high, 0.5",
    ),
    ((*SUMMARY, "p50", "value"), 5e-324, "p50.value: expected 0 or a number of a magnitude"),
    ((*SUMMARY, "p50", "value"), 1e61, "p50.value"),
    ((*SUMMARY, "p50", "confidence"), 1.0, "p50.confidence: expected a number between 0 and 1"),
    ((*SUMMARY, "p50", "confidence"), 0.0, "p50.confidence"),
    ((*SUMMARY, "outliers", "fraction"), 1.5, "outliers: expected a count"),
    ((*SUMMARY, "outliers", "count"), -3, "outliers: expected a count"),
    ((*METRIC, "target", "statistic"), "p42", "target.statistic: invalid enum value 'p42'"),
    ((*METRIC, "target", "value"), -1e90, "target.value"),
    ((*METRIC, "unit"), "a/" * 200, "latency.unit: 'a/a/.*cannot be a name"),
    ((*METRIC, "unit"), "n\0s", "latency.unit: .*printable"),
    ((*METRIC, "better"), "up", "latency.better: invalid enum value 'up'"),
    (("results", 0, "status"), "x" * 10**6, "status: invalid enum value"),
    (("results", 0, "params"), {"a": {"b": 1}}, "params.a: expected a bool"),
    (("results", 0, "params"), {"a": [1, 10**400]}, r"params.a\[1\]: .*1329 bits"),
    (("results", 0, "items"), 1e200, "items: expected 0 or a number"),
    (("results", 0, "warmup", "seconds"), -1.0, "warmup.seconds: expected float >= 0"),
    (("results", 0, "warmup", "iterations"), -1, "warmup.iterations: expected int >= 0"),
    (("results", 0, "verification", "checked"), -1, "verification.checked: expected int >= 0"),
    (("results", 0, "profile"), {"counters": {"a": 1}}, "profile.counters"),
    (("results", 0, "profile"), {"functions": [{"function": "f"}]}, r"profile.functions\[0\]"),
    ((*SUMMARY, "processes"), -1, "summary.processes: expected int >= 0"),
    ((*SUMMARY, "scope"), "this\nprocess", "summary.scope: .*printable"),
    ((*SUMMARY, "scope"), 5, "summary.scope: expected str"),
    ((*SUMMARY, "at_reference_speed"), 5.0, "summary.at_reference_speed: expected object"),
    (
        (*SUMMARY, "at_reference_speed"),
        {"value": 1e90, "low": None, "high": None, "confidence": 0.95, "method": ""},
        "at_reference_speed.value: expected 0 or a number",
    ),
    ((*RESULT, "variation"), {"between": -0.1, "extent": 0.0}, "variation.between: expected float"),
    ((*RESULT, "variation"), {"between": 0.1}, "variation: .*extent"),
    ((*RESULT, "variation"), {**CALM, "drift": -1e90}, "variation.drift: expected a magnitude"),
    ((*RESULT, "variation"), {**CALM, "drift_chance": 1.5}, "variation.drift_chance: .*0 to 1"),
    ((*RESULT, "variation"), {**CALM, "slow_processes": -1}, "variation.slow_processes"),
    ((*RESULT, "variation"), [], "variation: expected object"),
    ((*RESULT, "processes"), {}, "processes: expected array"),
    ((*RESULT, "processes"), [{"disturbed": 1}], r"processes\[0\].disturbed: expected str"),
    ((*RESULT, "processes"), [{"warmup": {"seconds": -1}}], r"processes\[0\].warmup.seconds"),
    ((*RESULT, "processes"), [{"environment": 3}], r"processes\[0\].environment"),
    ((*RESULT, "processes"), [{}, {"metrics": {"a": {"p50": "x"}}}], r"processes\[1\].metrics"),
    ((*RESULT, "processes"), [{"metrics": {"a": {"p50": 1e99}}}], r"processes\[0\].*a.p50"),
    ((*RESULT, "processes"), [{"metrics": {"a\n": {}}}], r"processes\[0\].metrics: .*printable"),
    ((*RESULT, "left_out"), [{"metrics": {"a": {"p50": 1e99}}}], r"left_out\[0\].*a.p50"),
    ((*RESULT, "disturbed"), False, "disturbed: expected str"),
    ((*SERIES, "batch"), 0, "batch: expected int >= 1"),
    ((*SERIES, "pair"), -1, "pair: expected int >= 0"),
    ((*SERIES, "started_ns"), -(2**63), "started_ns: expected int >="),
    ((*SERIES, "columns"), {"a\nb": [1.0]}, "columns: .*printable"),
    ((*SERIES, "columns"), {"a" * 300: [1.0]}, "columns: .*200"),
    ((*SERIES, "columns"), {"a": [1.0], "b": []}, "columns: expected columns of one length"),
    ((*SERIES, "columns"), {"latency": [1, 10**400]}, r"columns.latency\[1\]: .*bits"),
    (("systems",), [], "systems: expected object, got array"),
    (("systems", "box", "cpu"), [], "systems.box.cpu"),
]


def changed(document: Tree, path: tuple[str | int, ...], value: Any) -> Tree:
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(("path", "value", "says"), REFUSED, ids=range(len(REFUSED)))
def test_what_nothing_can_rely_on_is_refused_with_its_key_path(
    document: Tree, tmp_path: Path, path: tuple[str | int, ...], value: Any, says: str
) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps(changed(document, path, value)))
    with pytest.raises(sp.SchemaError, match=says) as caught:
        sp.load(file)
    assert str(file) in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_could_not_be_saved_are_refused_in_memory_too(
    document: Tree, value: float
) -> None:
    with pytest.raises(sp.SchemaError, match=r"p50\.value: expected 0 or a number"):
        sp.Run(changed(document, (*SUMMARY, "p50", "value"), value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*SUMMARY, "p50", "value"), 0.0),
        ((*SUMMARY, "p50"), {"value": -5, "low": -6, "high": 0, "confidence": 0.5, "method": ""}),
        ((*SUMMARY, "p50"), None),
        ((*SUMMARY, "count"), 0),
        ((*SERIES, "columns"), {}),
        ((*SERIES, "columns"), {"latency": []}),
        ((*SERIES, "columns"), {"latency": [-1, 2**64 - 1]}),
        ((*SERIES, "system"), "a machine that is not in the file"),
        (("results", 0, "params"), {"": "\0", "a": None, "b": 2**64 - 1, "c": "\u202e"}),
        (("results", 0, "key"), ""),
        (("results",), []),
        (("systems",), {}),
        (("systems",), {"": {}}),
        (("systems", "box", "cpu"), {"model": [1], "caches": "none"}),
        (("results", 0, "environment"), {"steal_percent": "much", "other_load": None}),
        (("created",), "2026-11-03"),
        (("created",), "1970-01-01T00:00:00-23:59"),
    ],
    ids=range(17),
)
def test_what_is_odd_but_valid_can_be_used_and_saved(
    document: Tree, tmp_path: Path, path: tuple[str | int, ...], value: Any
) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps(changed(document, path, value)))
    run = sp.load(file)
    repr(run)
    run._repr_html_()
    run.to_dataframe()
    for result in run.results:
        for series in result.series:
            for name in series.columns:
                assert series.columns[name].dtype.kind in "iuf"
    assert sp.load(run.save(tmp_path / "again.json")).document == run.document


@pytest.mark.parametrize(
    "created",
    [
        "",
        "yesterday",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "2026-02-30",
        "2026-11-03T24:00:00Z",
        "2026-11-03T09:37:00+24:00",
        "2026-11-03T09:37:00+01:60",
        "2026-11-03T09:37:00 UTC",
        "2026-W45-2",
        "20261103",
        "2026-11-03\n",
        "\N{FULLWIDTH DIGIT TWO}026-11-03",
        "2" * 10**6,
    ],
    ids=range(17),
)
def test_a_time_that_is_not_one_of_the_calendar_is_refused(created: str, document: Tree) -> None:
    with pytest.raises(sp.SchemaError, match="created: expected an ISO 8601 time") as caught:
        sp.Run({**document, "created": created})
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01", 1),
        ("1970-01-01 00:01Z", 60),
        ("1970-01-01T01:00:00.5+01:00", 0.5),
        ("1970-01-01T00:00:00.123456789Z", 0.123456),
        ("1970-01-01T00:00:00-0130", 5400),
    ],
)
def test_times_are_read_alike_by_all_versions_of_python(text: str, seconds: float) -> None:
    assert moment_of(text).timestamp() == pytest.approx(seconds)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30) | st.datetimes().map(str))
def test_any_text_is_a_time_with_a_zone_or_refused(text: str) -> None:
    try:
        moment = moment_of(text)
    except ValueError:
        return
    assert moment.tzinfo is not None
    moment.timestamp()
