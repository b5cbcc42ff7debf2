"""Tables in terminals of any width: nothing is cut without a mark, no number ever."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

import stratoperf as sp
from stratoperf.presentation.terminal.results_view import show_results
from stratoperf.presentation.terminal.screen import NARROWEST, Screen
from stratoperf.presentation.terminal.tables import Cell, Column, Table, print_grouped, print_table
from stratoperf.results import SCHEMA
from stratoperf.statistics import Estimate
from stratoperf.text.units import interval, quantity, ratio_interval

MARK = "…"
WIDTHS = st.integers(min_value=NARROWEST, max_value=200)
NAMES = st.text(st.sampled_from("abcxyz._-漢字🚀é0123456789"), min_size=1, max_size=70)
VALUES = st.floats(allow_nan=True, allow_infinity=True)
UNITS = st.sampled_from(("ns", "votes/s", "bytes/s", ""))
ESTIMATES = st.builds(
    lambda numbers: Estimate(numbers[1], numbers[0], numbers[2], 0.95, "any"),
    st.lists(VALUES, min_size=3, max_size=3).map(sorted),
)
NUMBERS = st.one_of(
    st.builds(quantity, VALUES, UNITS),
    st.builds(interval, ESTIMATES, UNITS),
    st.builds(ratio_interval, ESTIMATES),
    st.just("-"),
)


def terminal(width: int) -> tuple[Screen, io.StringIO]:
    raw = io.StringIO()
    console = Console(file=raw, force_terminal=True, width=width, color_system=None)
    return Screen(console), raw


@pytest.fixture(autouse=True)
def usual_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("LC_ALL", raising=False)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Return a table with names at its left and numbers at its right."""
    keys = draw(st.integers(1, 3))
    facts = draw(st.integers(0, 8))
    columns = [
        Column(draw(NAMES), key=True, name=True, right=draw(st.booleans())) for _ in range(keys)
    ]
    columns += [Column(draw(NAMES), right=True, drop=draw(st.integers(0, 4))) for _ in range(facts)]
    rows = [
        [
            *(Cell(draw(NAMES)) for _ in range(keys)),
            *(Cell(draw(NUMBERS)) for _ in range(facts)),
        ]
        for _ in range(draw(st.integers(1, 5)))
    ]
    return Table(columns, rows)


def words_of(*texts: str) -> set[str]:
    return {word for text in texts for word in text.split()}


def check(output: str, width: int, table: Table) -> None:
    """Hold every line and every word that was printed against what is in the table."""
    cells = [cell.text for row in table.rows for cell in row]
    titles = [column.title for column in table.columns]
    named = [
        *titles,
        *(
            row[place].text
            for row in table.rows
            for place, entry in enumerate(table.columns)
            if entry.name
        ),
    ]
    remark = "left out: , ; use a wider terminal, a pipe or --json to see all"
    whole = words_of(*cells, *titles, remark)
    # What is never broken may be wider than a narrow terminal: a number with its unit.
    numbers = [
        piece
        for row in table.rows
        for cell, column in zip(row, table.columns, strict=True)
        if not column.name
        for piece in cell.text.replace(" [", "\n[").replace(", ", ",\n").split("\n")
    ]
    widest = max([width, *(cell_len(number) + len("    ,") for number in numbers)])
    for line in output.splitlines():
        assert cell_len(line) <= widest
        for word in line.split():
            word = word.rstrip(",;") if word.rstrip(",;") in whole else word
            is_rule = set(word) == {"─"}
            marked = word.rstrip(",;").endswith(MARK)
            start = word.rstrip(",;").removesuffix(MARK)
            assert (
                word in whole
                or is_rule
                or (marked and any(name.startswith(start) for name in named))
            ), f"{word!r} is not whole"


@given(tables(), WIDTHS)
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
def test_no_line_is_too_wide_and_every_word_is_whole_or_marked(table: Table, width: int) -> None:
    for show in (print_table, print_grouped):
        screen, raw = terminal(width)
        show(screen, table)
        check(raw.getvalue(), width, table)


@given(tables())
@settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
def test_a_pipe_has_every_row_on_one_line(table: Table) -> None:
    raw = io.StringIO()
    print_table(Screen(Console(file=raw, force_terminal=False, width=20)), table)
    lines = raw.getvalue().splitlines()
    assert len(lines) == 1 + len(table.rows)
    for line, row in zip(lines[1:], table.rows, strict=True):
        assert line.split() == " ".join(cell.text for cell in row).split()


def result(
    name: str, params: dict[str, Any], value: float, unit: str = "votes/s"
) -> dict[str, Any]:
    side = {"confidence": 0.95, "method": "order statistics"}
    estimates = {
        quantile: {"value": value * factor, "low": value * factor * 0.99, "high": None, **side}
        for quantile, factor in (("p50", 1.0), ("p95", 1.2), ("p99", 1.4))
    }
    rate = {"value": 1e9 / value, "low": 0.9e9 / value, "high": 1.1e9 / value, **side}
    key = ",".join(f"{parameter}={params[parameter]}" for parameter in sorted(params))
    return {
        "key": f"{name}[backend=cpu,{key}]",
        "benchmark": name,
        "backend": "cpu",
        "params": params,
        "status": "ok",
        "metrics": {
            "latency": {
                "unit": "ns",
                "better": "lower",
                "primary": True,
                "summary": {"count": 1000, **estimates},
            },
            "throughput": {
                "unit": unit,
                "better": "higher",
                "primary": False,
                "summary": {"count": 1000, "p50": rate},
                "mean": rate,
            },
        },
        "series": [],
        "warnings": ["steal 12.5 % of the time"],
    }


def run_of(*results: dict[str, Any]) -> sp.Run:
    return sp.Run(
        {
            "schema": SCHEMA,
            "id": "demo",
            "created": "2026-01-01T00:00:00Z",
            "preset": "quick",
            "command": [],
            "stratoperf_version": sp.__version__,
            "systems": {},
            "results": list(results),
        }
    )


TWO_BENCHMARKS = run_of(
    result("consensus.round", {"votes": 10_000, "byzantine": 0.33}, 4260.0),
    result("consensus.round", {"votes": 1, "byzantine": 0.1}, 68.8),
    result("memory.migrate", {"route": "cpu:disk", "size": 1_048_576}, 999_960.0, "bytes/s"),
)


def test_a_pipe_gets_a_table_for_each_benchmark_with_its_own_parameters() -> None:
    raw = io.StringIO()
    show_results(Screen(Console(file=raw, force_terminal=False, width=80)), TWO_BENCHMARKS)
    lines = raw.getvalue().splitlines()
    headers = [line.split() for line in lines if line.startswith("benchmark")]
    assert [header[1:3] for header in headers] == [["votes", "byzantine"], ["route", "size"]]
    assert [line for line in lines if line.startswith("# ")] == [
        "# consensus.round on cpu",
        "# memory.migrate on cpu",
    ]
    (fact,) = [line for line in lines if "consensus.round" in line and " 10000 " in line]
    assert "4.26 [4.22, ?] µs" in fact
    assert " - " not in raw.getvalue()


@pytest.mark.parametrize("width", range(20, 201))
def test_a_run_fits_into_every_width(width: int) -> None:
    screen, raw = terminal(width)
    show_results(screen, TWO_BENCHMARKS)
    lines = raw.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    text = " ".join(raw.getvalue().split())
    for number in ("4.26", "68.8", "1.00", "1048576"):
        assert number in text
    assert MARK not in text


def test_the_first_table_of_a_newcomer_is_whole_at_80_columns() -> None:
    screen, raw = terminal(80)
    cases = [(10_000, 0.33, 999_400.0), (10_000, 0.1, 99_940.0), (1, 0, 68.8)]
    show_results(
        screen,
        run_of(*(result("consensus.round", {"votes": v, "byzantine": b}, p) for v, b, p in cases)),
    )
    assert "left out" not in raw.getvalue()
    header = raw.getvalue().splitlines()[2].split()
    assert header == ["votes", "byzantine", "p50", "p95", "p99", "votes/s", "verdict"]


@given(
    st.dictionaries(
        NAMES,
        st.one_of(st.integers(-(10**12), 10**12), st.floats(allow_nan=False), NAMES),
        max_size=6,
    ),
    st.floats(1e-3, 1e21),
    NAMES,
    WIDTHS,
)
@example({"p50": 1, "throughput": 2, "verdict": 3}, 1.0, "p50", 40)
@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
def test_any_names_and_values_can_be_shown(
    params: dict[str, Any], value: float, name: str, width: int
) -> None:
    run = run_of(result(name, params, value), result(name, params, value * 1000))
    screen, raw = terminal(width)
    show_results(screen, run)
    tokens = [str(parameter) for parameter in params.values() if not isinstance(parameter, str)]
    widest = max([width, *(len(token) + len("    ,") for token in tokens)])
    table = raw.getvalue().partition("?: too few")[0]
    assert all(cell_len(line) <= widest for line in table.splitlines())
    low = Estimate(value, value * 0.99, None, 0.95, "any")
    texts = (quantity(value, "ns"), interval(low, "ns").partition(" [")[0])
    assert any(text in " ".join(table.split()) for text in texts)
