"""Whoever pastes the command that a message suggests gets what the message promises."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.presentation.terminal.run_progress import RunProgress
from stratoperf.running import Case

Command = Callable[..., Any]
SHORT = ("--duration", "20ms", "--warmup", "0", "--iterations", "100", "--processes", "1")
FOLDERS = ("my results; $(touch x) 'q'", "-folder", "line\nbreak", os.fsdecode(b"not \xff utf-8"))


@pytest.fixture
def paste(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Return a function that runs a command as a user would who pastes it into a shell."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "stratoperf"
    start = "from stratoperf.cli import main; main()"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{start}" "$@"\n')
    program.chmod(0o755)

    def run(command: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        return subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=120,
        )

    return run


def advised(text: str, begin: str) -> str:
    """Return the command that a text suggests."""
    match = re.search(rf"{begin}[^\n]*", text)
    assert match is not None, f"no {begin!r} in {text!r}"
    return match[0]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_claims_of_a_run_are_shown(
    stratoperf: Command, paste: Command, tmp_path: Path, folder: str
) -> None:
    # A folder that begins with a dash is given as a user has to give it.
    ending = stratoperf("run", "clock.overhead", *SHORT, "--output", f"./{folder}")
    done = paste(advised(ending.out, "stratoperf claims"))
    assert done.returncode == 0, done.stderr
    assert "GPU consensus" in done.stdout
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_kept_run_becomes_the_baseline(
    stratoperf: Command, paste: Command, tmp_path: Path, folder: str
) -> None:
    stratoperf("run", "clock.overhead", *SHORT, "--output", f"./{folder}")
    kept = tmp_path / folder / "main.json"
    ending = stratoperf("check", "--baseline", f"./{folder}/main.json", "--current", folder)
    assert ending.code == 2
    done = paste(advised(ending.err, "cp "))
    assert done.returncode == 0, done.stderr
    assert sp.load(kept).id == sp.load(kept.with_name("latest.json")).id


@pytest.mark.parametrize("folder", FOLDERS)
def test_without_any_run_the_advice_measures_one_there(
    stratoperf: Command, tmp_path: Path, folder: str
) -> None:
    ending = stratoperf("check", "--baseline", f"./{folder}/main.json")
    command = advised(ending.err, "stratoperf run")
    # What measures everything for minutes is read, not run.
    printed = subprocess.run(
        ["sh", "-c", f'stratoperf() {{ printf "%s\\0" "$@"; }}; {command} 2>/dev/null || true'],
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        check=True,
    )
    words = printed.stdout.split(b"\0")[:-1]
    assert words[:3] == [b"run", b"--ci", b"--output"]
    assert os.path.normpath(words[3]) == os.fsencode(folder)
    assert "&& cp" in command


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_interrupted_run_is_measured_to_its_end(
    stratoperf: Command,
    paste: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    folder: str,
) -> None:
    def interrupted(self: RunProgress, index: int, case: Case) -> None:
        if case.params["votes"] == 10:
            raise KeyboardInterrupt

    monkeypatch.setattr(RunProgress, "case_started", interrupted)
    cases = ("--backend", "cpu", "--param", "votes=1,10", "--param", "byzantine=0")
    ending = stratoperf("run", "consensus.round", *cases, *SHORT, "--output", f"./{folder}")
    assert ending.code == 130
    done = paste(advised(ending.out, "stratoperf run --resume"))
    assert done.returncode == 0, done.stderr
    run = sp.load(tmp_path / folder / "latest.json")
    assert sorted(result.params["votes"] for result in run.results) == [1, 10]
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_without_runs_gets_one(
    stratoperf: Command, paste: Command, tmp_path: Path, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    ending = stratoperf("compare", f"./{folder}", f"./{folder}")
    assert ending.code == 2
    command = advised(ending.err, "stratoperf run --output")
    done = paste(f"{command} clock.overhead {shlex.join(SHORT)}")
    assert done.returncode == 0, done.stderr
    assert sp.load(tmp_path / folder / "latest.json").results
