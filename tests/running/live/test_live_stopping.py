"""Live comparisons that are stopped: Ctrl-C and kill -9, in a process of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import stratoperf as sp

BENCHMARKS = textwrap.dedent(
    """
    import os, pathlib, time
    import stratoperf as sp

    FOLDER = pathlib.Path(__file__).parent

    @sp.benchmark("t.work", params={"step": [1, 2, 3]})
    def work(step):
        scratch = FOLDER / f"scratch-{os.getpid()}"
        scratch.touch()
        if step == 2 and (FOLDER / "hang-in-setup").exists():
            (FOLDER / f"now-{os.getpid()}").touch()
            time.sleep(1000)
        yield lambda: None
        scratch.unlink()
    """
)

PROGRAM = textwrap.dedent(
    """
    import json, sys
    import stratoperf as sp
    from stratoperf.running.live import LiveListener

    class Ear(LiveListener):
        def pair(self, index, case, look, pairs, seconds):
            print("now", flush=True)

    kind, folder, output = sys.argv[1:]
    if kind == "commands":
        sides = [sp.Command(("sh", "-c", f"echo >> {folder}/log; sleep 1000 & sleep 1000"))] * 2
        what = dict(duration_s=100)
    else:
        sides = [sp.Environment(modules=(folder + "/benchmarks.py",))] * 2
        what = dict(select="t.work", duration_s=1000)
        if kind == "hanging":
            # The first case is decided at one of the first looks.
            what |= dict(duration_s=20, threshold=9, confidence=0.5)
    try:
        sp.compare_live(*sides, output=output, listener=Ear(), **what)
    except sp.Interrupted as interrupted:
        comparison = interrupted.comparison
        print(json.dumps({
            "message": str(interrupted),
            "interrupted": comparison.interrupted,
            "run_path": comparison.run_path,
            "pairs": [metric.pairs for metric in comparison.metrics],
            "why": [metric.why for metric in comparison.metrics],
            "statuses": [result.status for result in interrupted.run.results],
        }))
    """
)


class Driver:
    """A live comparison in a process of its own."""

    def __init__(self, kind: str, folder: Path) -> None:
        (folder / "benchmarks.py").write_text(BENCHMARKS)
        self.folder = folder
        self.output = folder / "results"
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, kind, str(folder), str(self.output)],
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def wait_for_line(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "now\n"

    def wait_for_file(self, pattern: str, count: int = 1) -> None:
        deadline = time.monotonic() + 100
        while len(list(self.folder.glob(pattern))) < count:
            assert time.monotonic() < deadline
            assert self.process.poll() is None
            time.sleep(0.01)

    def finish(self) -> str:
        output, _ = self.process.communicate(timeout=100)
        return output


def test_ctrl_c_between_pairs_saves_what_was_measured(
    tmp_path: Path, leftovers: Callable[[], None]
) -> None:
    with Driver("measuring", tmp_path) as driver:
        driver.wait_for_line()
        driver.process.send_signal(signal.SIGINT)
        report = json.loads(driver.finish().splitlines()[-1])
    leftovers()
    assert driver.process.returncode == 0
    assert report["message"] == "interrupted with 1 of 3 cases begun"
    assert report["interrupted"] is True
    (pairs,) = report["pairs"]
    assert pairs >= 1
    assert report["statuses"] == ["interrupted"]
    (result,) = sp.load(report["run_path"]).results
    assert result.status == "interrupted"
    assert len(result.series) == 2 * pairs
    # The workers in progress have torn down; neither temporary files nor a journal are left.
    assert list(tmp_path.glob("scratch-*")) == []
    assert {path.suffix for path in driver.output.iterdir()} <= {".json", ".npz"}


def test_ctrl_c_while_both_sides_hang_ends_them(
    tmp_path: Path, leftovers: Callable[[], None]
) -> None:
    (tmp_path / "hang-in-setup").touch()
    with Driver("hanging", tmp_path) as driver:
        driver.wait_for_file("now-*", 2)
        driver.process.send_signal(signal.SIGINT)
        report = json.loads(driver.finish().splitlines()[-1])
    leftovers()
    assert report["pairs"][0] > 0
    assert report["pairs"][1] == 0
    assert report["why"][1] == "interrupted before the first pair was complete"
    assert report["statuses"] == ["ok", "interrupted"]


def test_ctrl_c_ends_commands_and_their_children(
    tmp_path: Path, leftovers: Callable[[], None]
) -> None:
    with Driver("commands", tmp_path) as driver:
        driver.wait_for_file("log")
        driver.process.send_signal(signal.SIGINT)
        report = json.loads(driver.finish().splitlines()[-1])
    leftovers()
    assert report["pairs"] == [0]
    assert report["statuses"] == ["interrupted"]


def test_after_kill_9_no_worker_is_left_and_finished_cases_are_in_the_journal(
    tmp_path: Path, leftovers: Callable[[], None]
) -> None:
    (tmp_path / "hang-in-setup").touch()
    with Driver("hanging", tmp_path) as driver:
        driver.wait_for_file("now-*", 2)
        driver.process.kill()
        driver.finish()
    leftovers()
    assert driver.process.returncode == -signal.SIGKILL
    (journal,) = driver.output.glob("*.journal")
    (result,) = sp.load(journal).results
    assert result.params == {"step": 1}
    assert {entry.arm for entry in result.series} == {"baseline", "current"}


def test_ctrl_c_while_the_sides_are_asked_leaves_nothing(
    tmp_path: Path, leftovers: Callable[[], None]
) -> None:
    (tmp_path / "asked.py").write_text(
        "import pathlib, time; pathlib.Path(__file__).with_name('now-asked').touch(); "
        "time.sleep(1000)"
    )
    program = (
        "import sys, stratoperf as sp; side = sp.Environment(modules=(sys.argv[1],)); "
        "sp.compare_live(side, side, output=sys.argv[2])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "asked.py"), str(tmp_path / "results")],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 100
    while not (tmp_path / "now-asked").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    assert "KeyboardInterrupt" in said
    leftovers()
    assert not (tmp_path / "results").exists()
