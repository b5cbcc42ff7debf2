from __future__ import annotations

import json
import os
import pty
import re
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
from stratoperf.results import Result
from stratoperf.running.registry import REGISTRY
from wording import mentions

if TYPE_CHECKING:
    from tests.cli.conftest import Ending

Start = Callable[..., subprocess.Popen[str]]
SHORT = ("--duration", "30ms", "--warmup", "0", "--iterations", "100", "--processes", "1")
FOUR_SECONDS = ("--duration", "4s", "--warmup", "0", "--processes", "2")
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


STOPPING = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM]

TWICE = [
    pair
    for number, first in enumerate(STOPPING)
    for pair in ((first, first), (first, STOPPING[number - 1]))
]
"""Each signal first and second, with itself and with another: a pair takes seconds, and all are
handled alike."""


def saved_result(folder: Path) -> Result:
    """Return the only result that a run saved."""
    (path,) = {*folder.glob("results/*.json")} - {folder / "results" / "latest.json"}
    (result,) = sp.load(path).results
    return result


def saved_status(folder: Path) -> str:
    """Return the status of the only result that a run saved."""
    return saved_result(folder).status


@pytest.mark.parametrize("number", STOPPING)
def test_an_interrupted_run_keeps_what_was_measured(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process = start(*LONG)
    wait_for_measurement(tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    saved = next(line for line in out.splitlines() if line.startswith("saved:"))
    document = json.loads((tmp_path / saved.removeprefix("saved: ")).read_text())
    assert document["results"][0]["status"] == "interrupted"
    assert "--resume" in out


@pytest.mark.parametrize(("first", "second"), TWICE)
def test_a_second_signal_loses_nothing(
    start: Start, tmp_path: Path, first: signal.Signals, second: signal.Signals
) -> None:
    process = start(*LONG)
    wait_for_measurement(tmp_path)
    process.send_signal(first)
    process.send_signal(second)
    _, err = process.communicate(timeout=60)
    # When both are there before Python looks, the lower number comes first.
    assert process.returncode in (128 + first, 128 + second)
    assert "Traceback" not in err
    assert saved_status(tmp_path) == "interrupted"


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_that_is_ignored_from_the_start_stays_so(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    previous = signal.signal(number, signal.SIG_IGN)
    try:
        process = start("run", "clock.overhead", *FOUR_SECONDS)
    finally:
        signal.signal(number, previous)
    wait_for_measurement(tmp_path)
    while process.poll() is None:
        # Also while the result is saved.
        process.send_signal(number)
        time.sleep(0.002)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert (
        json.loads((tmp_path / "results/latest.json").read_text())["results"][0]["status"] == "ok"
    )


@pytest.mark.parametrize("ignored", [(), (signal.SIGHUP,)], ids=["hangup", "nohup"])
def test_a_terminal_that_is_closed_does_not_keep_results_from_being_saved(
    tmp_path: Path, ignored: tuple[signal.Signals, ...]
) -> None:
    main, secondary = pty.openpty()
    program = (
        "import fcntl, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        f"[signal.signal(number, signal.SIG_IGN) for number in {[*map(int, ignored)]}]; "
        "from stratoperf.cli import main; main()"
    )
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            program,
            "run",
            "clock.overhead",
            "--duration",
            "4s",
            "--warmup",
            "0",
            "--processes",
            "2",
        ],
        cwd=tmp_path,
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        start_new_session=True,
    )
    os.close(secondary)
    wait_for_measurement(tmp_path)
    os.close(main)
    process.wait(60)
    if ignored:
        assert saved_status(tmp_path) == "ok"
    else:
        assert process.returncode == 128 + signal.SIGHUP
        assert saved_status(tmp_path) == "interrupted"
    assert not any("changed" in note for note in saved_result(tmp_path).notes)
    assert list(tmp_path.glob("results/*.journal")) == []


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


@pytest.mark.parametrize("number", STOPPING)
def test_an_interrupted_live_comparison_says_what_was_decided(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process = start("check", "--live", "sleep 0.01", "sleep 0.01", "--duration", "60s", "--json")
    wait_for_measurement(tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    document = json.loads(out)
    assert document["interrupted"] is True
    assert saved_status(tmp_path) == "interrupted"


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_outside_a_measurement_ends_a_command_with_its_code(
    stratoperf: Callable[..., Ending], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(REGISTRY, "all", lambda: signal.raise_signal(number))
    before = signal.getsignal(number)
    ending = stratoperf("list")
    monkeypatch.undo()
    assert ending.code == 128 + number
    assert ending.err.strip() == "interrupted"
    assert signal.getsignal(number) == before


SLOW = """
import time
from pathlib import Path
import stratoperf as sp
@sp.benchmark("slow.teardown")
def slow():
    yield lambda: time.sleep(0.01)
    Path("tearing-down").touch()
    time.sleep(1000)
from stratoperf.cli import main
main()
"""


def test_the_third_ctrl_c_gives_up_what_does_not_end(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, "run", "slow.teardown", "--duration", "60s"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_measurement(tmp_path)
    process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + 60
    while not (tmp_path / "tearing-down").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert mentions(err, "Ctrl-C again")
    assert saved_status(tmp_path) == "interrupted"


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


def test_next_to_nothing_is_loaded_before_ctrl_c_is_handled() -> None:
    program = """
import __future__, importlib, sys
before = set(sys.modules)
from stratoperf.cli import main
print(sorted(name for name in set(sys.modules) - before if not name.startswith("stratoperf")))
"""
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(sp.__file__).parents[1])},
    )
    assert (loaded.stdout, loaded.stderr) == ("[]\n", "")


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


def test_ctrl_c_while_results_are_shown_still_names_the_file(
    stratoperf: Callable[..., Ending], monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*arguments: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("stratoperf.presentation.terminal.results_view.show_results", press)
    ending = stratoperf("run", "clock.overhead", *SHORT)
    assert ending.code == 130
    assert re.search("saved: .*results/clock.overhead_", ending.err)


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
