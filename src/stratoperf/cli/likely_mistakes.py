"""Likely mistakes on the command line, and what to type instead."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

import click

from stratoperf.cli.options import percentage
from stratoperf.paths import is_directory, is_file

_BUILT_IN = re.compile(
    r"\.|:|alias|bg|cd|command|eval|exec|exit|export|fg|hash|jobs|read|readonly|return|set|shift|"
    r"source|times|trap|type|ulimit|umask|unalias|unset|wait"
)
"""What a shell does by itself."""

SUSPICIOUS_THRESHOLD = 0.005
"""No gate can hold a smaller threshold, but 5 % is 0.05 in the Python API."""


def check_program(side: str, text: str, argv: Sequence[str]) -> None:
    """Raise a usage error for a command whose program cannot be started."""
    program = argv[0]
    if shutil.which(program) is None:
        raise click.UsageError(
            f"{side}: the command {shlex.join(argv)} cannot be started: {_reason(text, program)}"
        )


def _reason(text: str, program: str) -> str:
    """Return why a program cannot be started, and the remedy."""
    path = Path(program)
    if _BUILT_IN.fullmatch(program):
        return f"{program} is built into the shell; add --shell"
    if text.strip() != program and is_file(Path(text.strip())):
        return f"the file {text.strip()!r} has a space in its name; quote it within the command"
    if is_directory(path):
        return f"{program} is a folder; give a program, or leave out --live to compare run files"
    if path.suffix == ".json" and is_file(path):
        return f"{program} is a run file; leave out --live to compare run files"
    if is_file(path) and not os.access(path, os.X_OK):
        return f"the file {program} is not executable; run chmod +x, or name its interpreter"
    if is_file(path):
        return f"{program} is not on the PATH; write ./{program}"
    if any(letter.isspace() for letter in program):
        return (
            f"there is no program {program!r}, with spaces in its name; remove a pair of quotes if "
            "the spaces separate arguments"
        )
    return (
        f"there is no program {program!r}; check its name, and quote each command together with "
        "its arguments"
    )


def check_stored_side(name: str, path: Path) -> None:
    """Raise a usage error for a command that is given as a run file."""
    text = str(path)
    try:
        first = shlex.split(text)[:1]
    except ValueError:
        first = []
    if not path.exists() and first and shutil.which(first[0]) is not None:
        raise click.UsageError(
            f"{name}: there is no run file {text!r}; if it is a command, add --live, which runs "
            "both commands now"
        )


def run_folder(
    context: click.Context, parameter: click.Parameter, value: Path | None
) -> Path | None:
    """Return the folder of an option; what looks like the name of a run file is wrong usage."""
    del context, parameter
    if value is not None and value.suffix == ".json" and not is_directory(value):
        raise click.BadParameter(
            f"{str(value)!r} looks like a file; give the folder for the run file, such as "
            f"{str(value.parent)!r}"
        )
    return value


def threshold(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> float | None:
    """Return a threshold as a fraction; a file of thresholds is wrong usage."""
    if value is not None and value.endswith(".toml"):
        raise click.BadParameter(f"{value!r} is a file; write --thresholds {shlex.quote(value)}")
    return percentage(1000)(context, parameter, value)


def check_thresholds_file(path: Path) -> None:
    """Raise a usage error for a number in place of a file of thresholds."""
    if not path.exists() and re.fullmatch(r"[0-9.]+%?", str(path)):
        raise click.UsageError(f"--thresholds: there is no file {path}; write --threshold {path}")


def check_modules(modules: Sequence[str]) -> None:
    """Raise a usage error for a file whose name lacks its extension."""
    for module in modules:
        has_file = not module.endswith(".py") and is_file(Path(f"{module}.py"))
        if has_file and (
            "/" in module or "." in module or importlib.util.find_spec(module) is None
        ):
            raise click.UsageError(
                f"--module: there is no module {module!r}, but a file; write --module "
                f"{shlex.quote(module + '.py')}"
            )


def threshold_warning(name: str, threshold: float) -> str | None:
    """Return a warning about a threshold that looks like a fraction.

    Parameters
    ----------
    name
        The option or key that holds it, as a message shows it.
    threshold
        As a fraction.
    """
    if threshold >= SUSPICIOUS_THRESHOLD:
        return None
    percent = 100 * threshold
    return (
        f"{name} {percent:g} means {percent:g} %; write {100 * percent:g} if {100 * percent:g} % "
        "is meant"
    )
