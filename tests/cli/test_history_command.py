"""``stratoperf history`` as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from wording import mentions

Command = Callable[..., Any]

MEDIANS = [1000.0 + 3 * (7 * number % 5) for number in range(30)]


def write_runs(folder: Path, medians: list[float], machine: str = "3fa9c2d4") -> None:
    """Write a run file for each median, one a day."""
    for number, median in enumerate(medians):
        interval = {"low": median - 2, "high": median + 2, "confidence": 0.95, "method": "any"}
        result = {
            "key": "kv.put[backend=cpu,size=64]",
            "benchmark": "kv.put",
            "backend": "cpu",
            "params": {"size": 64},
            "status": "ok",
            "metrics": {
                "latency": {
                    "unit": "ns",
                    "better": "lower",
                    "primary": True,
                    "summary": {"count": 100, "p50": {"value": median, **interval}},
                }
            },
        }
        document = {
            "schema": "stratoperf.run/1",
            "id": f"{machine}-{number}",
            "created": f"2026-11-{number + 1:02}T03:00:00Z",
            "preset": "quick",
            "systems": {machine: {"cpu": {"model": "EPYC"}}},
            "results": [result],
        }
        sp.Run(document).save(folder / f"{machine}_{number:02}.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return thirty run files, the last twelve 12 % slower."""
    results = tmp_path / "results"
    write_runs(results, [*MEDIANS[:18], *(1.12 * median for median in MEDIANS[18:])])
    return results


def test_a_change_is_told_in_words(stratoperf: Command, folder: Path) -> None:
    pytest.importorskip("ruptures")
    ending = stratoperf("history", str(folder))
    assert ending.code == 0
    assert "latency p50 on EPYC (3fa9c2d4)" in ending.out
    assert "kv.put size=64: 2026-11-19: 12 % slower, since 3fa9c2d4_18.json (1.01 µs → " in (
        ending.out
    )
    assert "30 runs, 1 change point;" in ending.out
    assert ending.err == ""


def test_the_table_shows_the_trend_at_a_glance(stratoperf: Command, folder: Path) -> None:
    out = stratoperf("history", str(folder)).out.splitlines()
    header = next(line for line in out if line.startswith("benchmark"))
    assert header.split() == [
        *("benchmark", "parameters", "runs", "trend", "first", "last", "change", "scatter")
    ]
    row = next(line for line in out if line.startswith("kv.put ")).split()
    assert row[:3] == ["kv.put", "size=64", "30"]
    assert row[3][0] in "▁▂"
    assert row[3][-1] in "▇█"
    assert len(row[3]) == 30


def test_a_steady_history_has_no_change_point(stratoperf: Command, tmp_path: Path) -> None:
    pytest.importorskip("ruptures")
    write_runs(tmp_path, MEDIANS)
    ending = stratoperf("history", str(tmp_path))
    assert mentions(ending.out, "30 runs", "change")


def test_machines_stand_in_tables_of_their_own(stratoperf: Command, folder: Path) -> None:
    write_runs(folder, [500.0] * 3, machine="77aa00")
    out = stratoperf("history", str(folder)).out
    assert "on EPYC (77aa00)" in out
    assert "33 runs" in out
    assert mentions(out, "warning", "2 machines")


def test_few_runs_say_how_many_are_needed(stratoperf: Command, tmp_path: Path) -> None:
    pytest.importorskip("ruptures")
    write_runs(tmp_path, MEDIANS[:3])
    out = stratoperf("history", str(tmp_path)).out
    assert mentions(out, "3 runs", "3 values", "least 10")


def test_json_on_stdout_has_all_of_it(stratoperf: Command, folder: Path) -> None:
    (folder / "torn.json").write_text("{")
    ending = stratoperf("history", str(folder), "--json")
    document = json.loads(ending.out)
    assert document["schema"] == "stratoperf.history/1"
    (trend,) = document["trends"]
    assert len(trend["moments"]) == 30
    assert document["left_out"][0]["what"].endswith("torn.json")
    assert "torn.json" in ending.err


@pytest.mark.parametrize(
    ("ending", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_the_figure_is_written_in_the_format_of_its_name(
    stratoperf: Command, folder: Path, tmp_path: Path, ending: str, magic: bytes
) -> None:
    pytest.importorskip("matplotlib")
    figure = tmp_path / f"trend{ending}"
    done = stratoperf("history", str(folder), "--figure", str(figure))
    assert done.code == 0
    assert figure.read_bytes().startswith(magic)
    assert f"figure: {figure}" in done.out


def test_a_torn_file_among_many_is_named(stratoperf: Command, folder: Path) -> None:
    (folder / "torn.json").write_text("{")
    ending = stratoperf("history", str(folder))
    assert ending.code == 0
    assert f"left out: {folder / 'torn.json'}: " in ending.out


def test_nothing_but_torn_files_is_wrong_input(stratoperf: Command, tmp_path: Path) -> None:
    (tmp_path / "torn.json").write_text("{")
    ending = stratoperf("history", str(tmp_path))
    assert ending.code == 2
    assert "torn.json" in ending.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("empty",), "no run file"),
        (("nowhere",), "nowhere"),
        (("results", "kv.putt"), "did you mean 'kv.put'"),
        (("results", "--since", "soon"), "since: 'soon'"),
        (("results", "--since", "2027-01-01"), "all 30 runs"),
        (("results", "--threshold", "0"), "--threshold"),
        (("results", "--threshold", "2%%"), "not a percentage"),
        (("results", "--statistic", "p90"), "--statistic"),
        (("results", "--figure", "trend.gif"), "must end with .png"),
        (("results", "--figure", "nowhere/trend.png"), "no directory nowhere"),
        ((), "DIR"),
    ],
)
def test_wrong_usage_ends_with_2(
    stratoperf: Command, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    (folder.parent / "empty").mkdir()
    ending = stratoperf("history", *arguments)
    assert ending.code == 2
    assert message in ending.err
    assert ending.out == ""


def test_the_bars_are_ascii_where_the_output_is(
    stratoperf: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    assert stratoperf("history", str(folder)).out.isascii()


def test_runs_that_were_just_measured_have_a_history(stratoperf: Command, tmp_path: Path) -> None:
    short = ("--duration", "20ms", "--warmup", "0", "--iterations", "100", "--processes", "1")
    stratoperf("run", "clock.overhead", *short, "--output", "a")
    stratoperf("run", "clock.overhead", *short, "--output", "b")
    for number, run in enumerate(("a", "b")):
        sp.load(tmp_path / run / "latest.json").save(tmp_path / f"all/{number}.json")
    document = json.loads(stratoperf("history", "all", "clock.*", "--json").out)
    assert document["runs"] == 2
    assert all(len(trend["moments"]) == 2 for trend in document["trends"])


def test_cases_that_no_run_could_measure_share_a_line(stratoperf: Command) -> None:
    folder = Path("mixed")
    folder.mkdir()
    write_runs(folder, [1000.0, 1001.0])
    for path in folder.iterdir():
        document = json.loads(path.read_text())
        document["results"] += [
            {
                "key": f"kv.get[backend=cuda,size={size}]",
                "benchmark": "kv.get",
                "backend": "cuda",
                "params": {"size": size},
                "status": "skipped",
                "reason": "no GPU",
            }
            for size in (1, 2, 3)
        ]
        path.write_text(json.dumps(document))
    ending = stratoperf("history", "mixed")
    lines = [line for line in ending.out.splitlines() if "kv.get" in line]
    assert len(lines) == 1
    assert mentions(lines[0], "3 cases", "kv.get", "GPU")
