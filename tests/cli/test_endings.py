from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stratoperf as sp
from stratoperf.suite.registry import REGISTRY

if TYPE_CHECKING:
    from tests.cli.conftest import Ending

Start = Callable[..., subprocess.Popen[str]]
SHORT = ("--duration", "30ms", "--warmup", "0", "--iterations", "100")
LONG = ("run", "clock.overhead", "--duration", "60s", "--warmup", "0")


def wait_for_measurement(folder: Path) -> None:
    """Wait until the journal knows the machine, and then a little, so that sampling began."""
    end = time.monotonic() + 60
    while not any(
        json.loads(header.read_text())["systems"]
        for header in folder.glob("results/*.journal/run.json")
    ):
        assert time.monotonic() < end, "the run did not start"
        time.sleep(0.05)
    time.sleep(1.0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_keeps_what_was_measured(
    start: Start, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = start(*LONG)
    wait_for_measurement(tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    saved = next(line for line in out.splitlines() if line.startswith("saved:"))
    document = json.loads((tmp_path / saved.removeprefix("saved: ")).read_text())
    assert document["results"][0]["status"] == "interrupted"
    assert "--resume" in out


def test_sigterm_ends_a_run_in_the_background_where_sigint_is_ignored(
    start: Start, tmp_path: Path
) -> None:
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = start(*LONG)
    finally:
        signal.signal(signal.SIGINT, previous)
    wait_for_measurement(tmp_path)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_a_killed_run_can_be_resumed(start: Start, tmp_path: Path) -> None:
    process = start("run", "clock.overhead", "--duration", "60s", "--warmup", "0")
    wait_for_measurement(tmp_path)
    process.kill()
    process.communicate()
    (journal,) = tmp_path.glob("results/*.journal")
    resumed = start("run", "--resume", str(journal))
    assert resumed.stderr is not None
    assert resumed.stderr.readline().startswith("plan: 1 case")
    resumed.send_signal(signal.SIGINT)
    resumed.communicate(timeout=60)
    assert resumed.returncode == 130


def test_ctrl_c_that_python_loses_is_pressed_again(stratoperf: Callable[..., Ending]) -> None:
    class Going:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    @sp.benchmark("going")
    def going() -> Callable[[], None]:
        Going()
        return lambda: None

    ending = stratoperf("run", "going", "--duration", "60s")
    assert ending.code == 130
    assert "ignored" not in ending.err


def test_ctrl_c_while_the_program_loads_shows_no_traceback() -> None:
    program = """
import signal, sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "click":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder())
from stratoperf.cli import main
main(["list"])
"""
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (process.returncode, process.stdout, process.stderr) == (130, "", "")


def test_ctrl_c_outside_a_measurement_says_so(
    stratoperf: Callable[..., Ending], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(REGISTRY, "all", lambda: signal.raise_signal(signal.SIGINT))
    ending = stratoperf("list")
    monkeypatch.undo()
    assert ending.code == 130
    assert ending.err.strip() == "interrupted"


def test_ctrl_c_while_results_are_shown_still_names_the_file(
    stratoperf: Callable[..., Ending], monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*arguments: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("stratoperf.cli.results_view.show_results", press)
    ending = stratoperf("run", "clock.overhead", *SHORT)
    assert ending.code == 130
    assert "saved: results/clock.overhead_" in ending.err


def test_a_reader_that_goes_away_ends_it_quietly(start: Start) -> None:
    process = start("list")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 141


def in_terminal(folder: Path, *arguments: str, **environment: str) -> str:
    """Run a command in a pseudo-terminal and return all that it wrote."""
    main, secondary = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from stratoperf.cli import main; main()", *arguments],
        cwd=folder,
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", **environment},
    )
    os.close(secondary)
    written = b""
    while True:
        ready, _, _ = select.select([main], [], [], 60)
        assert ready, "the command hangs"
        try:
            part = os.read(main, 65536)
        except OSError:  # The other end is closed.
            break
        if not part:
            break
        written += part
    os.close(main)
    process.wait()
    return written.decode()


def test_a_terminal_gets_color_and_its_cursor_back(tmp_path: Path) -> None:
    screen = in_terminal(tmp_path, "run", "clock.overhead", *SHORT)
    assert "\x1b[" in screen
    assert screen.rfind("\x1b[?25h") > screen.rfind("\x1b[?25l")


def test_no_color_is_honored(tmp_path: Path) -> None:
    screen = in_terminal(tmp_path, "claims", "--help", NO_COLOR="1")
    assert "\x1b[" not in screen
    assert "\x1b[" not in in_terminal(tmp_path, "list", NO_COLOR="1")


def test_a_dumb_terminal_gets_plain_text(tmp_path: Path) -> None:
    screen = in_terminal(tmp_path, "run", "clock.overhead", *SHORT, TERM="dumb")
    assert "\x1b" not in screen
    assert "clock.overhead" in screen


def test_the_c_locale_gets_ascii(start: Start) -> None:
    process = start("run", "clock.overhead", *SHORT, LC_ALL="C")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert (out + err).isascii()
