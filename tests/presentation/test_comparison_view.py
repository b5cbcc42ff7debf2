"""A comparison and its progress in a terminal and in a pipe."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

import stratoperf as sp
from stratoperf.analysis import Comparison, Difference, Failure, decide
from stratoperf.analysis.paired_design import Look
from stratoperf.presentation.terminal.comparison_view import show_comparison, show_decision
from stratoperf.presentation.terminal.live_progress import LiveProgress
from stratoperf.presentation.terminal.screen import QuietConsole, Screen
from stratoperf.running.live.cases import Agenda, LiveCase
from wording import mentions

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture(autouse=True)
def usual_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name in ("LC_ALL", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def terminal(width: int = 100) -> tuple[Screen, io.StringIO]:
    raw = io.StringIO()
    console = Console(file=raw, force_terminal=True, width=width, color_system="standard")
    return Screen(console), raw


def pipe() -> tuple[Screen, io.StringIO]:
    raw = io.StringIO()
    return Screen(Console(file=raw, force_terminal=False, width=80)), raw


def metric(name: str = "consensus.round", verdict: str = "same", **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "key": f"{name}[backend=cpu,votes=10000]",
        "benchmark": name,
        "backend": "cpu",
        "params": {"votes": 10_000, "byzantine": 0.33},
        "metric": "latency",
        "statistic": "p50",
        "unit": "ns",
        "better": "lower",
        "threshold": 0.05,
        "verdict": verdict,
        "why": "the interval says so",
        "baseline": sp.Estimate(1200.0, None, None, 0.99, "any"),
        "current": sp.Estimate(1210.0, None, None, 0.99, "any"),
        "ratio": sp.Estimate(1.01, 0.99, 1.02, 0.99, "any"),
        "pairs": 40,
    }
    return sp.ComparedMetric(**{**fields, **changes})


def comparison(*metrics: sp.ComparedMetric, **changes: Any) -> Comparison:
    fields: dict[str, Any] = {
        "mode": "live",
        "baseline": "old",
        "current": "new",
        "confidence": 0.99,
        "method": "signed ranks",
        "metrics": metrics,
    }
    return Comparison(**{**fields, **changes})


@pytest.mark.parametrize(("width", "shown"), [(120, True), (80, False)])
def test_a_narrow_terminal_gets_the_columns_that_matter(width: int, shown: bool) -> None:
    screen, raw = terminal(width)
    show_comparison(screen, comparison(metric(), metric("clock.overhead", "slower")))
    text = ESCAPES.sub("", raw.getvalue())
    assert ("40 pairs" in text) is shown
    assert "1.010 [0.990, 1.020]" in text
    assert "compared: latency p50, threshold 5 %" in text
    assert max(map(len, text.splitlines())) <= width


def test_a_terminal_shows_metrics_and_thresholds_in_columns_where_they_differ() -> None:
    screen, raw = terminal(140)
    show_comparison(screen, comparison(metric(), metric(statistic="p95", threshold=0.1)))
    text = ESCAPES.sub("", raw.getvalue())
    assert "compared:" not in text
    assert "latency p95" in text
    assert "10 %" in text


def test_verdicts_have_a_color_and_a_reason() -> None:
    screen, raw = terminal()
    show_comparison(screen, comparison(metric("a", "slower"), metric("b", "inconclusive")))
    text = raw.getvalue()
    assert re.search(r"\x1b\[1;31mslower *\x1b\[0m", text)
    assert re.search(r"\x1b\[33minconclusive *\x1b\[0m", text)
    assert text.count("the interval says so") == 2


def test_another_machine_is_loud() -> None:
    screen, raw = terminal()
    show_comparison(screen, comparison(metric(), warnings=("ANOTHER MACHINE: x", "steal 1 %")))
    first, second = raw.getvalue().splitlines()[:2]
    assert first.startswith("\x1b[1;37;41mwarning: ANOTHER MACHINE")
    assert second.startswith("\x1b[33mwarning: steal")


def test_failures_keep_their_lines_and_differences_are_listed() -> None:
    screen, raw = pipe()
    failure = Failure(key="kv.put", side="current", why="ended; its last words:\nfirst\nsecond")
    difference = Difference(what="only in baseline", key="kv.get", baseline="kv.get")
    compared = comparison(metric(), failures=(failure,), differences=(difference,))
    show_comparison(screen, compared)
    show_decision(screen, decide(compared))
    lines = raw.getvalue().splitlines()
    place = lines.index("failed: kv.put: current failed: ended; its last words:")
    assert lines[place + 1 : place + 3] == ["    first", "    second"]
    assert mentions("\n".join(lines), "note", "kv.get")
    assert lines[-1] == "check: failed (1 same, 1 failed)"


def look(low: float | None, high: float | None) -> Look:
    return Look(sp.Estimate(1.0, low, high, 0.99, "any"), "inconclusive", 0.5, 3)


def live_case(name: str) -> LiveCase:
    return LiveCase(
        key=f"{name}[backend=cpu]",
        benchmark=name,
        version=1,
        category="single-node",
        backend="cpu",
        params={},
    )


def go_through(progress: LiveProgress) -> None:
    put, get = live_case("kv.put"), live_case("kv.get")
    progress.planned(Agenda(cases=(put, get), seconds=20.0, warnings=("kv.put writes to a disk",)))
    progress.case_started(0, put)
    progress.pair(0, put, None, 1, 0.5)
    progress.pair(0, put, look(0.9, 1.1), 3, 4.0)
    progress.pair(0, put, None, 4, 5.0)
    progress.case_finished(0, put, metric(key=put.key, pairs=4))
    progress.case_started(1, get)
    progress.warned(["too few pairs"])
    progress.pair(1, get, None, 1, 2.0)
    progress.close()


def test_a_terminal_shows_pairs_the_interval_so_far_and_the_time_left() -> None:
    screen, raw = terminal()
    go_through(LiveProgress(screen))
    text = ESCAPES.sub("", raw.getvalue())
    assert "[1/2] kv.put[backend=cpu]  1 pair  20 s left" in text
    assert "[1/2] kv.put[backend=cpu]  4 pairs  ratio 1.000 [0.900, 1.100]  15 s left" in text
    assert "[2/2] kv.get[backend=cpu]  1 pair  8 s left" in text
    assert raw.getvalue().rfind("\x1b[?25h") > raw.getvalue().rfind("\x1b[?25l")


def test_a_pipe_gets_a_line_for_each_look_and_each_verdict() -> None:
    screen, raw = pipe()
    go_through(LiveProgress(screen))
    assert raw.getvalue().splitlines() == [
        "warning: kv.put writes to a disk",
        "plan: 2 results to compare, at most about 20 s of measuring",
        "[1/2] kv.put[backend=cpu]: 3 pairs in 4.0 s, ratio 1.000 [0.900, 1.100]",
        "[1/2] kv.put[backend=cpu]: same, current / baseline 1.010 [0.990, 1.020], 4 pairs",
        "warning: too few pairs",
    ]


class Gone(io.StringIO):
    """A reader that went away."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_went_away_does_not_end_the_measurement() -> None:
    go_through(LiveProgress(Screen(QuietConsole(file=Gone(), force_terminal=True, width=80))))
    go_through(LiveProgress(Screen(QuietConsole(file=Gone(), force_terminal=False, width=80))))
