from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from stratoperf.presentation.terminal import cells
from stratoperf.presentation.terminal.fitting import fitted_name, wrapped
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.presentation.terminal.tables import Cell, Column, Table, print_table
from stratoperf.statistics import Estimate

COLUMNS = [Column("name"), Column("time", right=True)]
ROWS = [[Cell("one", "red"), Cell("1 µs")], [Cell("seventeen"), Cell("170 µs")]]


def screen(
    *, terminal: bool, width: int = 80, encoding: str = "utf-8"
) -> tuple[Screen, io.BytesIO]:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    console = Console(file=file, force_terminal=terminal, width=width, color_system="standard")
    return Screen(console), raw


def estimate(value: float, low: float | None, high: float | None) -> Estimate:
    return Estimate(value=value, low=low, high=high, confidence=0.95, method="order statistics")


def test_a_pipe_gets_aligned_columns_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    pipe, raw = screen(terminal=False)
    print_table(pipe, Table(COLUMNS, ROWS))
    assert raw.getvalue().decode() == ("name         time\none          1 µs\nseventeen  170 µs\n")


def test_a_long_cell_is_neither_wrapped_nor_cut_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    pipe, raw = screen(terminal=False, width=20)
    print_table(pipe, Table(COLUMNS, [[Cell("x" * 500), Cell("1")]]))
    assert "x" * 500 in raw.getvalue().decode()


def test_columns_that_the_user_set_hold_in_a_pipe_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "25")
    pipe, raw = screen(terminal=False, width=25)
    columns = [Column("name", key=True), *(Column(f"time {n}", right=True, drop=n) for n in (1, 2))]
    print_table(pipe, Table(columns, [[Cell("a benchmark"), Cell("1.00 µs"), Cell("2.00 µs")]]))
    text = raw.getvalue().decode()
    assert max(map(cell_len, text.splitlines()[:2])) <= 25
    assert "left out: time 2" in text
    assert "COLUMNS" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("columns", ["", "0", "wide", "-1"])
def test_columns_that_are_no_number_do_not_limit_a_pipe(
    monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    pipe, raw = screen(terminal=False, width=20)
    print_table(pipe, Table(COLUMNS, [[Cell("x" * 500), Cell("1")]]))
    assert "x" * 500 in raw.getvalue().decode()


def test_a_terminal_gets_color() -> None:
    terminal, raw = screen(terminal=True)
    print_table(terminal, Table(COLUMNS, ROWS))
    assert b"\x1b[31m" in raw.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_an_output_without_unicode_gets_ascii(terminal: bool) -> None:
    latin, raw = screen(terminal=terminal, encoding="ascii")
    print_table(latin, Table(COLUMNS, ROWS))
    assert "170 us" in raw.getvalue().decode("ascii")


def test_the_c_locale_gets_ascii_although_python_writes_utf8(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    pipe, raw = screen(terminal=False)
    pipe.line("1 µs ±3%")
    assert raw.getvalue() == b"1 us +-3%\n"


def test_a_paragraph_is_broken_in_a_terminal_and_whole_in_a_pipe() -> None:
    text = "a sentence of several words"
    for terminal, lines in ((True, 2), (False, 1)):
        some, raw = screen(terminal=terminal, width=20)
        some.paragraph(text)
        assert len(raw.getvalue().splitlines()) == lines


@pytest.mark.parametrize(
    ("low", "high", "wide", "compact"),
    [
        (12_100.0, 12_700.0, "12.3 [12.1, 12.7] µs", "12.3 µs ±4%"),
        (12_299.0, 12_301.0, "12.300 [12.299, 12.301] µs", "12.3 µs ±1%"),
        (12_100.0, 99_000.0, "12.3 [12.1, 99.0] µs", "12.3 µs >99%"),
        (12_100.0, None, "12.3 [12.1, ?] µs", "12.3 µs ±?"),
        (None, None, "12.3 [?, ?] µs", "12.3 µs ±?"),
    ],
)
def test_an_interval_is_shown_with_its_value(
    low: float | None, high: float | None, wide: str, compact: str
) -> None:
    value = estimate(12_300.0, low, high)
    assert cells.latency(value, compact=False).text == wide
    assert cells.latency(value, compact=True).text == compact


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.33, "0.33"), (10_000, "10000"), (True, "True"), (None, "-")]
)
def test_a_parameter_is_shown_without_needless_digits(value: object, text: str) -> None:
    assert cells.parameter(value).text == text


def test_what_was_not_measured_is_a_dash() -> None:
    assert cells.latency(None, compact=True).text == "-"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("at most 12.3 µs now", ["at most", "12.3 µs", "now"]),
        ("a rate of 2.6 G votes/s", ["a rate of", "2.6 G votes/s"]),
        ("漢字漢字 漢字 words", ["漢字漢字", "漢字 words"]),
        ("kv.put[backend=cpu,size=64]: x", ["kv.put[backend=cpu,", "size=64]:", "x"]),
        ("a/path/that/is/long b", ["a/path/that/is/long", "b"]),
        ("10 % of it", ["10 % of it"]),
        ("  name    detail", ["  name", "detail"]),
        ("", [""]),
    ],
)
def test_a_line_is_broken_between_facts_and_not_within(text: str, lines: list[str]) -> None:
    assert wrapped(text, 10) == lines


@pytest.mark.parametrize(
    ("name", "room", "short"),
    [
        ("consensus.round", 15, "consensus.round"),
        ("consensus.round", 10, "consensus…"),
        ("kv.put size=1000 mode=a", 20, "kv.put size=1000 …"),
        ("kv.put[size=1000,mode=a]", 20, "kv.put[size=1000,…"),
        ("漢字漢字", 6, "漢字…"),
        ("漢字", 1, "…"),
    ],
)
def test_a_name_is_shortened_with_a_mark_and_not_within_a_parameter(
    name: str, room: int, short: str
) -> None:
    assert fitted_name(name, room) == short
    assert cell_len(short) <= room
