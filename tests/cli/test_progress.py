"""What a run shows while it goes on."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import stratoperf as sp
from stratoperf.cli.progress import RunProgress
from stratoperf.cli.screen import Screen
from stratoperf.suite import Case, Plan, Registry, registry, runner

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
    assert "1 s left, done by " in output.getvalue()


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
