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

import pytest

Start = Callable[..., subprocess.Popen[str]]
LONG = ("run", "clock.overhead", "--duration", "60s", "--warmup", "0")


def wait_for_measurement(folder: Path) -> None:
    """Wait until a journal exists, and then a little longer, so that the sampler runs."""
    end = time.monotonic() + 30
    while not list(folder.glob("results/*.journal")):
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
    time.sleep(2.0)
    resumed.send_signal(signal.SIGINT)
    _, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 130
    assert "plan: 1 case" in err


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


SHORT = ("--duration", "30ms", "--warmup", "0", "--iterations", "100")


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
