"""What a message of a comparison advises is what the next command does, and it works."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
Write = Callable[..., Path]

QUICK = "run clock.overhead --ci --duration 30ms --warmup 0 --iterations 100"


def check(stratoperf: Command, *arguments: str) -> Any:
    return stratoperf("check", "--live", *arguments, "--threshold", "900", "--duration", "3s")


def test_a_stored_check_without_runs_tells_how_to_get_them(stratoperf: Command) -> None:
    for _ in range(3):
        ending = stratoperf("check")
        if ending.code != 2:
            break
        (advice,) = re.findall(r": ((?:stratoperf|cp) .*)", ending.err)
        for command in advice.strip().split(" && "):
            # All benchmarks would take minutes.
            program, *arguments = shlex.split(command.replace("run --ci", QUICK))
            if program == "stratoperf":
                assert stratoperf(*arguments).code == 0
            else:
                subprocess.run([program, *arguments], check=True)
    assert ending.code == 0


def test_run_files_as_words_are_told_the_options(stratoperf: Command, write_run: Write) -> None:
    for name in ("old run.json", "new run.json"):
        write_run(name, 1000.0)
    ending = stratoperf("check", "old run.json", "new run.json")
    advice = ending.err.partition("write ")[2]
    assert stratoperf("check", *shlex.split(advice)).code == 0


def test_each_remedy_for_a_redirection_works(stratoperf: Command) -> None:
    Path("words").write_text("words")
    assert "--input FILE" in check(stratoperf, "grep -q words < words", "true").err
    ending = check(stratoperf, "grep -q words", "grep -q words", "--input", "words")
    assert "check: passed" in ending.out
    assert "add --shell" in check(stratoperf, "grep -q words < words", "true").err
    ending = check(stratoperf, "grep -q words < words", "true", "--shell")
    assert "check: passed" in ending.out
    ending = check(stratoperf, "test '<' != a", "true")
    assert "check: passed" in ending.out


def test_a_variable_is_set_as_advised(stratoperf: Command) -> None:
    ending = check(stratoperf, "WORD=a printenv WORD", "true")
    advice = re.search(r"write (env WORD=a) \.\.\.", ending.err)
    assert advice is not None
    ending = check(stratoperf, f"{advice[1]} printenv WORD", "true")
    assert "check: passed" in ending.out


@pytest.mark.timing
def test_a_budget_that_is_advised_gives_the_pairs_that_were_missing(stratoperf: Command) -> None:
    sides = ("sleep 0.2", "sleep 0.21")
    duration = "700ms"
    pairs: list[int] = []
    for _ in range(3):
        ending = stratoperf(
            *("check", "--live", *sides, "--threshold", "900", "--duration", duration)
        )
        pairs.append(int(re.findall(r"(\d+) pairs?\b", ending.err)[-1]))
        if "check: passed" in ending.out:
            break
        advice = re.search(r"--duration (\w\S*?)\)", ending.out)
        assert advice is not None, ending.out
        duration = advice[1]
    assert "check: passed (1 same)" in ending.out
    assert pairs[0] < 8 <= pairs[-1]
