"""Commands that run beside a comparison: once before it and once after it, however it ends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.analysis.comparison import Comparison
from stratoperf.running.live.command_runs import CleanupFailed
from stratoperf.running.live.pair_source import SideFailed

FINE = sp.Command(("true",))
PATIENCE_S = 60.0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def logged(log: Path, letter: str) -> str:
    return f"printf {letter} >> {log}"


def compare(log: Path, command: sp.Command, setup: str | None = None) -> Comparison:
    return sp.compare_live(
        command,
        command,
        duration_s=1.0,
        threshold=9,
        setup=setup or logged(log, "s"),
        cleanup=logged(log, "c"),
    )


def command(log: Path, script: str = "") -> sp.Command:
    return sp.Command((f"{logged(log, 'r')}; {script or ':'}",), shell=True)


def test_each_runs_once_around_all_runs_of_both_sides(log: Path) -> None:
    compare(log, command(log))
    text = log.read_text()
    assert text[0] == "s"
    assert text[-1] == "c"
    assert set(text[1:-1]) == {"r"}


def test_the_cleanup_comes_after_a_failure(log: Path) -> None:
    with pytest.raises(SideFailed):
        compare(log, command(log, "exit 1"))
    assert log.read_text() == "src"


def test_a_setup_that_fails_is_told_and_cleaned_up(log: Path) -> None:
    with pytest.raises(sp.StratoperfError, match=r"the setup command .* status 5; .*\nno disk"):
        compare(log, command(log), setup="echo no disk; exit 5")
    assert log.read_text() == "c"


def test_a_cleanup_that_fails_loses_nothing(log: Path, tmp_path: Path) -> None:
    with pytest.raises(CleanupFailed, match=r"the cleanup command .*status 6") as caught:
        sp.compare_live(FINE, FINE, duration_s=1.0, cleanup="exit 6", output=tmp_path)
    comparison = caught.value.comparison
    assert comparison is not None
    assert comparison.metrics[0].ratio is not None
    assert str(caught.value) in comparison.warnings
    assert comparison.run_path is not None
    assert sp.load(comparison.run_path).document["live"]["settings"]["cleanup"] == "exit 6"


def test_each_is_killed_at_its_time_limit(leftovers: Callable[[], None]) -> None:
    for name in ("setup", "cleanup"):
        hanging: dict[str, Any] = {name: "sleep 1000 & sleep 1000"}
        with pytest.raises(sp.StratoperfError, match=rf"the {name} command .*within 0\.3 s"):
            sp.compare_live(FINE, FINE, duration_s=0.5, timeout_s=0.3, **hanging)
    leftovers()


@pytest.mark.parametrize("where", ["setup", "run"])
def test_the_cleanup_comes_after_ctrl_c(
    log: Path, leftovers: Callable[[], None], where: str
) -> None:
    press = f"sleep 0.5; kill -INT {os.getpid()}; sleep 1000"
    assert threading.current_thread() is threading.main_thread()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(sp.Interrupted):
        sp.compare_live(
            command(log, press if where == "run" else ""),
            FINE,
            duration_s=PATIENCE_S,
            setup=f"{logged(log, 's')}; {press if where == 'setup' else ':'}",
            cleanup=logged(log, "c"),
        )
    leftovers()
    assert log.read_text() == ("src" if where == "run" else "sc")


def test_a_setup_can_start_what_lasts_until_the_end(
    tmp_path: Path, leftovers: Callable[[], None]
) -> None:
    up = tmp_path / "up"
    # The loop waits until the server has written its number, which shows that it is up.
    server = f"echo \\$\\$ > {up}; exec sleep 1000"
    setup = f'setsid sh -c "{server}" & until test -s {up}; do sleep 0.01; done'
    ask = sp.Command((f"kill -0 $(cat {up})",), shell=True)
    comparison = sp.compare_live(ask, ask, duration_s=1.0, setup=setup)
    assert (comparison.metrics[0].pairs or 0) > 0
    leftovers()


def test_they_are_for_commands(log: Path) -> None:
    side = sp.Environment()
    for name in ("setup", "prepare", "cleanup"):
        line: dict[str, Any] = {name: "true"}
        with pytest.raises(sp.InvalidParameter, match=f"{name}: is for two commands"):
            sp.compare_live(side, side, "clock.overhead", **line)
        line = {name: " "}
        with pytest.raises(sp.InvalidParameter, match=f"{name}: expected a line"):
            sp.compare_live(FINE, FINE, **line)
