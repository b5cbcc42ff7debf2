"""Runs that are stopped: Ctrl-C and kill -9, in a process of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import stratoperf as sp

PROGRAM = textwrap.dedent(
    """
    import itertools, json, sys, time
    import stratoperf as sp

    @sp.benchmark("three.cases", params={"step": [1, 2, 3]})
    def three_cases(step):
        if step == 2 and sys.argv[3] == "setup":
            print("now", flush=True)
            time.sleep(60)
        calls = itertools.count()
        def work():
            # By then, batches are calibrated and samples are kept.
            if next(calls) == 100_000 and step == 2 and sys.argv[3] == "sampling":
                print("now", flush=True)
        yield work
        print("torn down", flush=True)

    what = dict(resume=sys.argv[2]) if sys.argv[1] == "resume" else dict(
        select="three.cases", output=sys.argv[2], preset="ci", warmup_s=0,
        duration_s=float(sys.argv[4]))
    try:
        run = sp.run(**what)
    except sp.Interrupted as interrupted:
        run = interrupted.run
        print("interrupted:", interrupted, flush=True)
    print(json.dumps([(r.status, len(r.series) and len(r.series[0].columns["latency"]))
                      for r in run.results]), flush=True)
    """
)


class Process:
    """A run in a process of its own."""

    def __init__(self, *arguments: str | Path | float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def read_until(self, word: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line.startswith(word):
                return
        raise AssertionError(f"the process ended without {word!r}: {self.lines}")

    def finish(self) -> list[str]:
        output, _ = self.process.communicate(timeout=60)
        self.lines += output.splitlines()
        return self.lines


@pytest.mark.parametrize("moment", ["setup", "sampling"])
def test_ctrl_c_saves_what_was_measured(tmp_path: Path, moment: str) -> None:
    with Process("run", tmp_path, moment, 3 if moment == "sampling" else 0.05) as process:
        process.read_until("now")
        process.process.send_signal(signal.SIGINT)
        lines = process.finish()
    assert process.process.returncode == 0, lines
    assert "interrupted: interrupted with 1 of 3 cases measured" in lines
    statuses = json.loads(lines[-1])
    assert [status for status, _ in statuses] == ["ok", "interrupted"]
    assert (statuses[1][1] > 0) == (moment == "sampling")
    # The teardown of the case in progress ran too.
    assert lines.count("torn down") == (2 if moment == "sampling" else 1)
    (file,) = tmp_path.glob("*.json")
    assert [result.status for result in sp.load(file).results] == ["ok", "interrupted"]
    # What is not complete is not the latest run, and leaves no journal.
    assert {each.suffix for each in tmp_path.iterdir()} <= {".json", ".npz"}
    assert not (tmp_path / "latest.json").exists()

    with Process("resume", file, "-", 0) as process:
        assert [status for status, _ in json.loads(process.finish()[-1])] == ["ok"] * 3
    assert [result.status for result in sp.load(tmp_path / "latest.json").results] == ["ok"] * 3
    assert not list(tmp_path.glob("*.journal"))


@pytest.mark.parametrize("moment", ["verification", "teardown"])
@pytest.mark.usefixtures("benchmarks")
def test_ctrl_c_after_the_sampling_keeps_all_samples(moment: str) -> None:
    def press(now: str) -> int:
        if now == moment:
            signal.raise_signal(signal.SIGINT)
        return 1

    @sp.benchmark("one.case")
    def one_case() -> Iterator[sp.Operation]:
        yield sp.Operation(lambda: None, verify=lambda: press("verification"))
        press("teardown")

    with pytest.raises(sp.Interrupted) as caught:
        sp.run("one.case", preset="ci", warmup_s=0, duration_s=0.02)
    assert isinstance(caught.value.run, sp.Run)
    (result,) = caught.value.run.results
    assert result.status == "interrupted"
    count = len(result.series[0].columns["latency"])
    assert count > 100
    assert result.reason is not None
    assert result.reason.startswith(f"interrupted after {count} samples")
    assert ("nothing was verified" in result.reason) == (moment == "verification")
    assert (result.verification is not None) == (moment == "teardown")


def test_after_kill_9_the_journal_is_read_and_resumed(tmp_path: Path) -> None:
    with Process("run", tmp_path, "sampling", 1) as process:
        process.read_until("now")
        process.process.kill()
        process.finish()
    assert process.process.returncode == -signal.SIGKILL
    (journal,) = tmp_path.glob("*.journal")
    before = sp.load(journal)
    assert [result.status for result in before.results] == ["ok"]
    samples = before.results[0].series[0].columns["latency"].tolist()
    assert len(samples) > 100

    with Process("resume", journal, "-", 0) as process:
        assert [status for status, _ in json.loads(process.finish()[-1])] == ["ok"] * 3
    after = sp.load(tmp_path / "latest.json")
    assert after.id == before.id
    assert after.results[0].series[0].columns["latency"].tolist() == samples
    assert not journal.exists()
