"""Children that do not outlive the block that started them."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stratoperf.running.workers.children import Child, ending, entered
from stratoperf.running.workers.output import Output, unnamed_output

PATIENCE_S = 60.0

PARENT = "sleep 1000 & echo $!; wait"


@pytest.fixture
def output() -> Iterator[Output]:
    with unnamed_output() as output:
        yield output


def shell(script: str, output: Output) -> Child:
    return Child(["sh", "-c", script], output, keep_stdout=True)


def number_said(output: Output) -> int:
    """Wait until a process has told its number."""
    wait_for(lambda: output.tail() != "")
    return int(output.tail())


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Return whether it runs; what only awaits its reaping does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Surprise(Exception):
    pass


@pytest.mark.parametrize("raised", [None, Surprise, KeyboardInterrupt, SystemExit])
def test_the_whole_group_is_killed_on_any_exit(
    output: Output, raised: type[BaseException] | None
) -> None:
    with contextlib.ExitStack() as stack:
        if raised is not None:
            stack.enter_context(pytest.raises(raised))
        stack.enter_context(shell(PARENT, output))
        grandchild = number_said(output)
        assert is_alive(grandchild)
        if raised is not None:
            raise raised
    wait_for(lambda: not is_alive(grandchild))


def test_what_a_child_leaves_running_is_killed_too(output: Output) -> None:
    with shell("sleep 1000 & echo $!", output) as child:
        assert child.wait(PATIENCE_S)
        grandchild = number_said(output)
        assert is_alive(grandchild)
        assert child.finish() == 0
        wait_for(lambda: not is_alive(grandchild))


@pytest.fixture(params=[True, False], ids=["", "old kernel"])
def descriptors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have descriptors of processes, and have none."""
    if not request.param:
        monkeypatch.delattr(os, "pidfd_open")


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize(("script", "status"), [("exit 3", 3), ("kill -TERM $$", -15)])
def test_the_exit_status_is_known(output: Output, script: str, status: int) -> None:
    with shell(script, output) as child:
        assert not child.wait_at_once(PATIENCE_S)
        assert child.finish() == status
        # And stays so.
        assert child.wait(0)
        assert child.finish() == status


@pytest.mark.usefixtures("descriptors")
def test_what_does_not_end_in_time_is_killed_with_its_group(output: Output) -> None:
    with shell(PARENT, output) as child:
        grandchild = number_said(output)
        assert not child.wait(0.01)
        assert child.wait_at_once(0.01)
        assert child.finish() == -signal.SIGKILL
        wait_for(lambda: not is_alive(grandchild))


@pytest.mark.usefixtures("descriptors")
@pytest.mark.parametrize("timeout_s", [-1.0, 0.0, 1e300, float("inf")])
def test_any_timeout_will_do(output: Output, timeout_s: float) -> None:
    with shell("exit 0" if timeout_s > 0 else "sleep 1000", output) as child:
        assert child.wait_at_once(timeout_s) == (timeout_s <= 0)


def test_ctrl_c_at_the_terminal_does_not_reach_it(output: Output) -> None:
    script = "import os; print(os.getpid() == os.getpgrp() == os.getsid(0))"
    with Child([sys.executable, "-c", script], output, keep_stdout=True) as child:
        assert not child.wait_at_once(PATIENCE_S)
    assert output.tail() == "True"


def test_its_standard_input_is_empty_unless_one_is_given(output: Output, tmp_path: Path) -> None:
    with shell("cat", output) as child:
        assert not child.wait_at_once(PATIENCE_S)
    assert output.tail() == ""
    (tmp_path / "input").write_text("words")
    with (
        (tmp_path / "input").open("rb") as file,
        Child(["cat"], output, keep_stdout=True, stdin=file) as child,
    ):
        assert not child.wait_at_once(PATIENCE_S)
    assert output.tail() == "words"


def test_a_program_that_is_not_there_cannot_be_started(output: Output) -> None:
    with pytest.raises(FileNotFoundError):
        Child(["/no/such/program"], output, keep_stdout=True)


def test_only_the_last_lines_of_an_output_are_told(output: Output) -> None:
    assert output.tail() == ""
    with shell("seq 100000; echo; echo; printf '\\377end\\n' >&2", output) as child:
        assert not child.wait_at_once(PATIENCE_S)
    lines = output.tail().splitlines()
    assert lines == ["99998", "99999", "100000", "", "", "\N{REPLACEMENT CHARACTER}end"]
    output.clear()
    assert output.tail() == ""
    with shell("echo again", output) as child:
        assert not child.wait_at_once(PATIENCE_S)
    assert output.tail() == "again"


def test_an_output_has_no_file(output: Output) -> None:
    assert stat.S_ISFIFO(os.fstat(output.fileno()).st_mode)


@pytest.mark.usefixtures("descriptors")
def test_more_than_a_pipe_holds_is_read_counted_and_noted() -> None:
    count = 50_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with unnamed_output() as output:
        with shell(f"head -c {count} /dev/zero; echo; echo end", output) as child:
            assert not child.wait_at_once(PATIENCE_S)
        assert output.tail().endswith("end")
        assert output.written == count + len("\nend\n")
        remark = output.remark()
        assert remark is not None
        assert "50.0 MB" in remark
        output.clear()
        assert (output.tail(), output.written, output.remark()) == ("", 0, None)
    # Kibibytes.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000


def test_little_output_needs_no_remark(output: Output) -> None:
    with shell("seq 1000", output) as child:
        assert not child.wait_at_once(PATIENCE_S)
    assert output.tail().endswith("1000")
    assert output.remark() is None


@pytest.mark.usefixtures("descriptors")
def test_an_output_ends_although_somebody_still_writes_to_it() -> None:
    with unnamed_output() as output, shell("yes", output) as child:
        wait_for(lambda: output.tail() != "")
        assert not child.wait(0.05)
        assert set(output.tail().splitlines()) == {"y"}


def test_ctrl_c_reaches_the_process_that_waits_beside_an_output(output: Output) -> None:
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    with shell("sleep 1000", output) as child:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            child.wait_at_once(PATIENCE_S)
    timer.join()


def test_ctrl_c_while_something_starts_does_not_lose_it() -> None:
    ended = []

    @contextlib.contextmanager
    def slow_to_start() -> Iterator[None]:
        signal.raise_signal(signal.SIGINT)
        try:
            yield
        finally:
            ended.append(True)

    with pytest.raises(KeyboardInterrupt), contextlib.ExitStack() as stack:
        entered(stack, slow_to_start)
    assert ended == [True]


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "status 0"), (2, "status 2"), (-9, "signal SIGKILL"), (-63, "signal 63")],
)
def test_an_end_has_words(status: int, words: str) -> None:
    assert ending(status) == words
