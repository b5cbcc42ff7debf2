"""Damaged inputs of every kind end in errors of stratoperf, in bounded time and memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FUZZER = Path(__file__).with_name("fuzz_inputs.py")
CORPUS = Path(__file__).with_name("corpus")


def fuzz(*words: str, timeout_s: float) -> str:
    ending = subprocess.run(
        [sys.executable, str(FUZZER), *words],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert ending.returncode == 0, ending.stdout + ending.stderr
    return ending.stdout


@pytest.mark.slow("tries 4000 inputs")
@pytest.mark.timeout(900)
def test_mutated_inputs_raise_nothing_but_our_errors(tmp_path: Path) -> None:
    said = fuzz("--count", "4000", "--seed", "1", "--failures", str(tmp_path), timeout_s=880)
    assert "0 failures" in said
    assert "4000 inputs" in said


@pytest.mark.timeout(300)
def test_inputs_that_once_did_harm_do_none() -> None:
    assert "0 failures" in fuzz("--repeat", str(CORPUS), timeout_s=280)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        # The fuzzer notices what it is for: this file is no corpus of ours, but breaks its rules.
        ("run-raises.bin", b"raise", "ZeroDivisionError"),
        ("run-opens.bin", b"open", "opened /etc/passwd"),
        ("run-hangs.bin", b"hang", "no end after"),
        ("run-eats.bin", b"eat", "MemoryError"),
    ],
)
def test_the_fuzzer_notices(name: str, content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    ending = subprocess.run(
        [sys.executable, str(FUZZER), "--repeat", str(tmp_path / name), "--self-test"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ending.returncode == 1
    assert says in ending.stdout
