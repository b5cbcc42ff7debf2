"""Loading, checking and saving run files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.results import Run
from stratoperf.results.storage import encode
from wording import says

Tree = dict[str, Any]

UNKNOWN = {"later": [1, {"deep": None}]}

# Every object of the file that can have keys of a later version.
PLACES = [
    (),
    ("systems", "box"),
    ("results", 0),
    ("results", 0, "metrics", "latency"),
    ("results", 0, "metrics", "latency", "summary"),
    ("results", 0, "metrics", "latency", "summary", "p95"),
    ("results", 0, "metrics", "latency", "summary", "outliers"),
    ("results", 0, "metrics", "latency", "target"),
    ("results", 0, "series", 0),
    ("results", 0, "warmup"),
    ("results", 0, "verification"),
    ("results", 0, "environment"),
]

WRONG = [
    (("id",), 3, "id: expected str, got int"),
    (("systems",), [], "systems: expected object, got array"),
    (("systems", "box", "cpu"), 3, "systems.box.cpu: expected"),
    (("systems", "box", "warnings"), ["a", 1], "systems.box.warnings[1]: expected str, got int"),
    (("results",), {}, "results: expected array, got object"),
    (("results", 1), 5, "results[1]: expected object, got int"),
    (("results", 0, "key"), None, "results[0].key: expected str, got null"),
    (("results", 0, "status"), "fine", "results[0].status: invalid enum value 'fine'"),
    (("results", 0, "params"), 1, "results[0].params: expected object, got int"),
    (("results", 0, "below_standard"), "x", "results[0].below_standard: expected array, got str"),
    (("results", 0, "notes"), [1], "results[0].notes[0]: expected str, got int"),
    (("results", 0, "metrics"), [], "results[0].metrics: expected object, got array"),
    (
        ("results", 0, "metrics", "latency", "better"),
        "faster",
        "results[0].metrics.latency.better: invalid enum value 'faster'",
    ),
    (
        ("results", 0, "metrics", "latency", "summary", "count"),
        1.5,
        "results[0].metrics.latency.summary.count: expected int, got float",
    ),
    (
        ("results", 0, "metrics", "latency", "summary", "p95", "low"),
        "fast",
        "results[0].metrics.latency.summary.p95.low: expected float | null, got str",
    ),
    (
        ("results", 0, "metrics", "latency", "summary", "p95", "value"),
        True,
        "results[0].metrics.latency.summary.p95.value: expected float, got bool",
    ),
    (
        ("results", 0, "metrics", "latency", "target", "verdict"),
        "won",
        "results[0].metrics.latency.target.verdict: invalid enum value 'won'",
    ),
    (("results", 0, "series"), None, "results[0].series: expected array, got null"),
    (("results", 0, "series", 0, "batch"), "1", "results[0].series[0].batch: expected int"),
    (
        ("results", 0, "series", 0, "columns", "latency"),
        [1.0, "x"],
        "results[0].series[0].columns.latency[1]: expected int | float, got str",
    ),
    (
        ("results", 0, "series", 0, "columns", "latency"),
        {"file": "x.npz", "member": 3},
        "results[0].series[0].columns.latency.member: expected str, got int",
    ),
    (
        ("results", 0, "series", 0, "columns", "other"),
        [1.0],
        "results[0].series[0].columns: expected columns of one length",
    ),
    (("results", 0, "warmup", "seconds"), "1", "results[0].warmup.seconds: expected float"),
    (("results", 0, "verification", "passed"), 1, "results[0].verification.passed: expected bool"),
]


def place(tree: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def write(tmp_path: Path, tree: object) -> Path:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(tree))
    return path


def test_a_run_file_is_read_into_typed_views(tmp_path: Path, document: Tree) -> None:
    run = sp.load(write(tmp_path, document))
    result, skipped = run.results
    assert result.metrics["latency"].statistic("p95") == sp.Estimate(
        20.0, 19.0, None, 0.95, "order statistics"
    )
    assert result.series[0].columns["latency"].tolist() == [10.0, 20.0, 30.0]
    assert (skipped.status, skipped.reason, skipped.metrics) == ("skipped", "no <GPU>", {})
    assert run.systems["box"].clock == {"source": "tsc", "reason": "invariant"}


def test_columns_cannot_be_written_to(tmp_path: Path, document: Tree) -> None:
    column = sp.load(write(tmp_path, document)).results[0].series[0].columns["latency"]
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 1


@pytest.mark.parametrize("path", PLACES, ids=str)
def test_unknown_keys_survive(tmp_path: Path, document: Tree, path: tuple[str | int, ...]) -> None:
    place(document, path)["from_the_future"] = UNKNOWN
    saved = sp.load(write(tmp_path, document)).save(tmp_path / "copy" / "run.json")
    assert json.loads(saved.read_text()) == document


@pytest.mark.parametrize(("path", "value", "message"), WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_type_is_named_with_file_and_key_path(
    tmp_path: Path, document: Tree, path: tuple[str | int, ...], value: object, message: str
) -> None:
    place(document, path[:-1])[path[-1]] = value
    file = write(tmp_path, document)
    with pytest.raises(sp.SchemaError) as caught:
        sp.load(file)
    assert str(caught.value).startswith(f"{file}: {message}")
    assert "correct this key" in str(caught.value)


@pytest.mark.parametrize("key", ["schema", "id", "created", "systems", "results"])
def test_a_missing_key_is_named(tmp_path: Path, document: Tree, key: str) -> None:
    del document[key]
    with pytest.raises(sp.SchemaError, match=key):
        sp.load(write(tmp_path, document))


@pytest.mark.parametrize("schema", ["stratoperf.run/1", "stratoperf.run/1.2"])
def test_minor_versions_of_the_schema_are_read(tmp_path: Path, document: Tree, schema: str) -> None:
    document["schema"] = schema
    assert len(sp.load(write(tmp_path, document)).results) == 2


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("stratoperf.run/2", says("'stratoperf.run/2'", "stratoperf")),
        ("stratoperf.run/10.1", r"reads 'stratoperf.run/10'"),
        ("other/1", says("run", "file")),
        ("stratoperf.run/x", says("run", "file")),
        (None, "got null"),
    ],
)
def test_other_schemas_are_refused(
    tmp_path: Path, document: Tree, schema: str | None, message: str
) -> None:
    document["schema"] = schema
    with pytest.raises(sp.SchemaError, match=message):
        sp.load(write(tmp_path, document))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"schema": "stratoperf.run/1"', "truncated"),
        (b'{"schema": NaN}', "malformed"),
        (b"\xff\xfe", "byte 0 is not valid UTF-8"),
        (b"[1]", says("'schema'", "object")),
        (b"null", "got null"),
    ],
)
def test_what_is_no_run_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(content)
    with pytest.raises(sp.SchemaError, match=message) as caught:
        sp.load(file)
    assert str(file) in str(caught.value)


def test_every_truncation_is_a_schema_error(tmp_path: Path, document: Tree) -> None:
    content = encode(document).rstrip()
    file = tmp_path / "run.json"
    for length in range(0, len(content), 37):
        file.write_bytes(content[:length])
        with pytest.raises(sp.SchemaError):
            sp.load(file)


def test_a_missing_file_and_a_foreign_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(sp.SchemaError, match=r"no\.json"):
        sp.load(tmp_path / "no.json")
    with pytest.raises(sp.SchemaError, match="journal directory"):
        sp.load(tmp_path)


def test_numbers_that_are_not_finite_become_null() -> None:
    tree = {"a": math.nan, "b": [math.inf, -math.inf, 1.0], "c": {"d": math.nan}}
    assert json.loads(encode(tree)) == {"a": None, "b": [None, None, 1.0], "c": {"d": None}}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
@settings(deadline=None)
def test_any_tree_survives_the_layout(tree: object) -> None:
    assert json.loads(encode(tree)) == tree


def test_a_run_as_data_frame_has_a_row_per_metric(document: Tree) -> None:
    frame = Run(document).to_dataframe()
    assert frame["p95_low"].tolist()[0] == 19.0
    assert frame["params.size"].tolist()[0] == 64
    assert frame["status"].tolist() == ["ok", "skipped"]


def test_without_pandas_the_error_names_the_extra(
    document: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(sp.PrerequisiteMissing, match=r"stratoperf\[dataframe\]"):
        Run(document).to_dataframe()


def test_html_escapes_what_the_file_says(document: Tree) -> None:
    html = Run(document)._repr_html_()
    assert "no &lt;GPU&gt;" in html
    assert "<GPU>" not in html


def test_an_unknown_statistic_suggests_the_nearest(document: Tree) -> None:
    metric = Run(document).results[0].metrics["latency"]
    with pytest.raises(sp.InvalidParameter, match=r"did you mean 'p999?'"):
        metric.statistic("p9999")
