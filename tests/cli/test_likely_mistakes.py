"""Input that is taken for something else is refused with what was probably meant."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wording import mentions

Command = Callable[..., Any]
Write = Callable[..., Path]


@pytest.fixture
def folder(stratoperf: Command, write_run: Write) -> Path:
    """Return a folder with run files, programs and others."""
    for name in ("a.json", "b.json"):
        write_run(name, 1000.0)
    for name in ("tool", "my tool"):
        Path(name).write_text("#!/bin/sh\n")
        Path(name).chmod(0o755)
    Path("script.py").touch()
    Path("sub").mkdir()
    return Path.cwd()


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("compare", "sleep 1", "sleep 2"), "add --live"),
        (("compare", "a.json", "sleep 2"), "CURRENT: there is no run file 'sleep 2'"),
        (("check", "--baseline", "sleep 1"), "add --live"),
        (("check", "--baseline", "a.json", "--current", "true"), "add --live"),
        (("check", "a.json", "b.json"), "--baseline a.json --current b.json"),
        (("check", "--live", "a.json", "b.json"), "leave out --live"),
        (("check", "--live", "./sub", "./sub"), "leave out --live"),
        (("check", "--live", "sleep", "1"), "its arguments"),
        (("check", "--live", "'sleep 1'", "true"), "a pair of quotes"),
        (("check", "--live", "./my tool", "true"), "quote it"),
        (("check", "--live", "tool", "true"), "write ./tool"),
        (("check", "--live", "./script.py", "true"), "chmod +x"),
        (("check", "--live", "ulimit -v 100", "true"), "add --shell"),
        (("check", "--live", "\u201ctrue\u201d", "true"), "a plain ' or"),
        (("check", "--live", "sleep \u20131", "true"), "a plain -"),
        (("check", "--live", "true", "true", "--confidence", "0.99"), "write 99 for 99 %"),
        (("check", "--live", "true", "true", "--output", "out.json"), "folder for the run file"),
        (("compare", "a.json", "b.json", "--param", "votes=1,000"), "for live comparisons"),
        (("run", "consensus.round", "--param", "votes=1,000"), "write votes=1000"),
        (("run", "a.json"), "compare run files with stratoperf compare"),
        (("run", "sleep 1"), "stratoperf compare --live"),
        (("run", "./none.py"), "give names of stratoperf list"),
        (("run", "--", "--quick"), "write it before the word --"),
        (("run", "clock.overhead", "--output", "out.json"), "folder for the run file"),
        (("compare", "a.json", "b.json", "--thresholds", "5"), "write --threshold 5"),
        (("compare", "a.json", "b.json", "--threshold", "x.toml"), "write --thresholds x.toml"),
        (
            (
                "check",
                "--live",
                "--module",
                "./script",
                "--baseline-env",
                "p",
                "--current-env",
                "q",
            ),
            "write --module ./script.py",
        ),
    ],
)
def test_the_remedy_is_named(
    stratoperf: Command, folder: Path, arguments: tuple[str, ...], remedy: str
) -> None:
    ending = stratoperf(*arguments)
    assert ending.code == 2
    assert remedy in ending.err
    assert not (folder / "results").exists()


@pytest.mark.parametrize("value", ["0.05", "0.1%"])
def test_a_threshold_that_looks_like_a_fraction_is_warned_of(
    stratoperf: Command, folder: Path, value: str
) -> None:
    ending = stratoperf("compare", "a.json", "b.json", "--threshold", value)
    number = float(value.removesuffix("%"))
    assert ending.code == 0
    assert f"warning: --threshold {number:g} means {number:g} %" in ending.err
    assert f"write {100 * number:g} if" in ending.err


def test_so_is_one_in_a_file_and_none_that_is_a_percentage(
    stratoperf: Command, folder: Path
) -> None:
    Path("limits.toml").write_text('default = 0.05\n[benchmarks]\n"kv.0" = 0.2\n')
    ending = stratoperf("compare", "a.json", "b.json", "--thresholds", "limits.toml")
    assert ending.err.count("warning: limits.toml") == 2
    ending = stratoperf("compare", "a.json", "b.json", "--threshold", "0.5")
    assert "warning" not in ending.err


def test_the_same_on_both_sides_is_warned_of(stratoperf: Command) -> None:
    ending = stratoperf("check", "--live", "true", "true", "--duration", "300ms")
    assert mentions(ending.out, "baseline", "current")


def test_the_setup_may_build_the_program(stratoperf: Command) -> None:
    ending = stratoperf(
        # Of files at two places one may truly be slower.
        *("check", "--live", "./built", "true", "--duration", "1s", "--threshold", "900"),
        *("--setup", "cp /bin/true built"),
    )
    assert ending.code == 0


def test_the_package_is_the_command_too(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "stratoperf", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    usage = run("check", "--help")
    assert usage.returncode == 0
    assert usage.stdout.startswith("Usage: stratoperf check")
    wrong = run("chek")
    assert wrong.returncode == 2
    assert "Usage: stratoperf" in wrong.stderr
    assert "did you mean 'check'" in wrong.stderr
