"""Commands in messages: a shell reads back what was meant."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stratoperf.commands import command_text
from stratoperf.text.safety import log_line

HOSTILE = (
    "my results; $(touch x) 'q'",
    '"double" `tick` $HOME \\ !',
    "-rf",
    "--output",
    "line\nbreak",
    "bell\a and \x1b[31mred",
    "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe",
    os.fsdecode(b"not \xff utf-8"),
    os.fsdecode(b"\xff1 %s %% '\\n"),
    "::error::a",
    "µ 漢字 🚀",
    "*",
    "~",
    "#x",
    "a=b",
)


def words_of(command: str) -> list[bytes]:
    """Return what a shell makes of the words behind the first one."""
    script = f'command() {{ for word; do printf "%s\\0" "$word"; done; }}\n{command}'
    done = subprocess.run(["sh", "-c", os.fsencode(script)], stdout=subprocess.PIPE, check=True)
    return done.stdout.split(b"\0")[:-1]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_shell_reads_a_path_as_it_is(name: str) -> None:
    path = Path(name)
    (word,) = words_of(command_text("command", path))
    assert os.path.normpath(word) == os.fsencode(path)
    assert not word.startswith(b"-")


@given(
    st.lists(st.binary(min_size=1, max_size=20).filter(lambda word: b"\0" not in word), max_size=4)
)
@example([b"'", b"\\", b"%"])
@settings(max_examples=50, deadline=None)
def test_a_shell_reads_any_words_as_they_are(words: list[bytes]) -> None:
    # Shells drop line breaks at the end of a substitution.
    words = [word + b"." for word in words]
    command = command_text("command", *map(os.fsdecode, words))
    assert words_of(command) == words
    assert log_line(command) == command, "the command changes on its way to the reader"


def test_an_output_of_ascii_gets_a_command_of_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    command = command_text("command", Path("µ 漢字"))
    assert command.isascii()
    assert words_of(command) == ["µ 漢字".encode()]


def test_plain_words_stay_plain() -> None:
    command = command_text("stratoperf", "run", "--resume", Path("results/all.journal"))
    assert command == "stratoperf run --resume results/all.journal"
    assert shlex.split(command_text("cp", Path("a b"), Path("-c"))) == ["cp", "a b", "./-c"]
