"""What a run shows while it goes on."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

import stratoperf as sp
from stratoperf.presentation.terminal.display import Display, end_text
from stratoperf.presentation.terminal.run_progress import RunProgress
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.running import Case, Plan, Registry, registry, runner
from stratoperf.running.planner import make_plan, make_request
from wording import mentions

FAST: dict[str, Any] = {"preset": "ci", "warmup_s": 0.0, "duration_s": 0.02}


@pytest.fixture(autouse=True)
def three_cases_and_three_that_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Registry()
    monkeypatch.setattr(registry, "REGISTRY", own)
    monkeypatch.setattr(runner, "REGISTRY", own)
    sp.benchmark("x", params={"step": [1, 2, 3]}, backends=["cuda", "cpu"])(
        lambda step: lambda: None
    )


def progress(*, terminal: bool = False) -> tuple[RunProgress, io.StringIO]:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=100, color_system=None)
    return RunProgress(Screen(console)), output


def test_cases_that_cannot_run_are_not_counted() -> None:
    listener, output = progress()
    sp.run("x", listener=listener, **FAST)
    plan, *lines = output.getvalue().splitlines()
    assert plan.startswith("plan: 3 cases (3 more cannot run here)")
    assert [line.partition(" ")[0] for line in lines] == ["[1/3]", "[2/3]", "[3/3]"]


def test_a_terminal_shows_the_count_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    listener, output = progress(terminal=True)
    sp.run("x", listener=listener, **FAST)
    assert "1/3 x step=2" in output.getvalue()
    assert mentions(output.getvalue(), "1 s", "left")


def test_a_resumed_run_promises_the_time_of_what_is_open(tmp_path: Path) -> None:
    class Crash(RunProgress):
        def case_started(self, index: int, case: Case) -> None:
            if case.params["step"] == 3 and case.skip_reason is None:
                raise RuntimeError("crash")

    class Reader(RunProgress):
        left = 0.0

        def planned(self, plan: Plan) -> None:
            super().planned(plan)
            self.seconds = plan.seconds

        def case_started(self, index: int, case: Case) -> None:
            super().case_started(index, case)
            if case.skip_reason is None:
                self.left = self._seconds_left()

    screen = progress()[0]._screen
    with pytest.raises(RuntimeError, match="crash"):
        sp.run("x", output=tmp_path, listener=Crash(screen), **FAST)
    (journal,) = tmp_path.glob("*.journal")
    reader = Reader(screen)
    sp.run(resume=journal, listener=reader)
    assert reader.left == pytest.approx(reader.seconds)


@pytest.mark.parametrize("width", [20, 25, 30, 40, 50, 59, 60, 61, 80, 120, 200])
def test_the_line_fits_into_the_terminal_and_cuts_no_number(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=width, color_system=None)
    display = Display(Screen(console))
    display.start(15.0)
    name = "consensus.漢字 votes=10000 byzantine=0.33"
    display.show(3.0, "10/15", name, ("3:20 min left, done by 12:34:56", "3:20 min left", ""))
    display.close()
    lines = re.split(r"[\r\n]|\x1b\[[0-9;?]*[a-zA-Z]", output.getvalue())
    assert max(map(cell_len, lines)) <= width
    (line,) = {line.strip() for line in lines if "10/15" in line}
    words = line.partition("10/15 ")[2].split()
    whole = {*name.split(), "3:20", "min", "left", "left,", "done", "by", "12:34:56", "…"}
    assert all(word in whole or word.endswith("…") for word in words)
    assert not any(re.search("[0-9]…", word) for word in words)


def test_a_time_beyond_all_calendars_has_no_end() -> None:
    assert end_text(1e300) == end_text(float("nan")) == ""


def declared() -> list[Case]:
    """Return the cases of a plan, as if each were measured in fresh processes."""
    plan = make_plan(make_request(**REQUEST), registry.REGISTRY, saves=False)
    return [dataclasses.replace(case, least=2, most=4) for case in plan.cases if case.is_measured]


REQUEST: dict[str, Any] = {
    "select": "x",
    "params": None,
    "preset": "quick",
    "backend": "cpu",
    "iterations": None,
    "duration_s": None,
    "warmup_s": None,
    "profile": False,
}


def plan_of(cases: list[Case]) -> Plan:
    plan = make_plan(make_request(**REQUEST), registry.REGISTRY, saves=False)
    return dataclasses.replace(plan, cases=tuple(cases))


def test_a_pipe_gets_a_line_for_each_pass() -> None:
    listener, output = progress()
    cases = declared()
    listener.planned(plan_of(cases))
    for number in (1, 2, 3):
        for index in (2, 0, 1):
            listener.process_started(index, cases[index], number, 4)
            listener.process_finished(index, cases[index], number, 4)
    plan, *lines = output.getvalue().splitlines()
    assert plan.startswith("plan: 3 cases in up to 4 processes each, at most ")
    assert lines == ["pass 1 of 4", "pass 2 of 4", "pass 3 of 4"]


def test_the_passes_of_a_single_case_are_no_news() -> None:
    listener, output = progress()
    cases = declared()[:1]
    listener.planned(plan_of(cases))
    for number in (1, 2, 3):
        listener.process_started(0, cases[0], number, 4)
        listener.process_finished(0, cases[0], number, 4)
    assert output.getvalue().count("\n") == 1


def test_a_terminal_shows_the_pass_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    listener, output = progress(terminal=True)
    cases = declared()
    plan = plan_of(cases)
    listener.planned(plan)
    assert listener._seconds_left() == pytest.approx(plan.seconds)
    listener.process_started(1, cases[1], 1, 4)
    listener.process_finished(1, cases[1], 1, 4)
    assert listener._share_done == pytest.approx(1 / 12)
    listener.process_started(1, cases[1], 2, 4)
    assert "pass 2 of 4, x step=2" in output.getvalue()
    # One more, since one was disturbed.
    listener.process_started(1, cases[1], 5, 4)
    assert "pass 5 of 5, x step=2" in output.getvalue()
    assert listener._share_done < 4 / 12


def test_processes_of_an_earlier_part_of_the_run_are_neither_left_nor_the_pace() -> None:
    listener, _ = progress()
    cases = declared()
    plan = plan_of(cases)
    listener.planned(plan)
    listener.process_started(0, cases[0], 4, 4)
    assert listener._seconds_left() == pytest.approx(plan.seconds * 9 / 12)


@pytest.mark.parametrize("width", [20, 40, 59, 60, 80, 200])
def test_the_pass_fits_into_every_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("TERM", "xterm")
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=width, color_system=None)
    listener = RunProgress(Screen(console))
    cases = declared()
    listener.planned(plan_of(cases))
    output.truncate(0)
    listener.process_started(0, cases[0], 3, 4)
    lines = re.split(r"[\r\n]|\x1b\[[0-9;?]*[a-zA-Z]", output.getvalue())
    assert max(map(cell_len, lines)) <= width
    assert any(("3/4" if width < 60 else "pass 3 of 4,") in line for line in lines)
