"""Whatever is wrong with a side is said when it is made, in a sentence that names the field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from wording import says

WRONG_COMMANDS: list[tuple[dict[str, Any], str]] = [
    ({"argv": ()}, "argv: "),
    ({"argv": 5}, "argv: .*5"),
    ({"argv": "ls -l"}, "argv: .*'ls -l'.*Command.parse"),
    ({"argv": b"ls"}, "argv: .*b'ls'"),
    ({"argv": ("ls", 5)}, "argv: .*5"),
    ({"argv": (" ",)}, "argv: "),
    ({"argv": ("ls", "a\0b")}, r"argv: .*a\\x00b.*null"),
    ({"argv": ("ls", "\ud800")}, r"argv: .*\\ud800.*UTF-8"),
    ({"argv": ("ls", "-l"), "shell": True}, "argv: .*one line"),
    ({"shell": "yes"}, "shell: .*'yes'"),
    ({"cwd": 5}, "cwd: .*5"),
    ({"cwd": "a\0b"}, "cwd: .*null"),
    ({"cwd": "\ud800"}, "cwd: .*surrogates"),
    ({"cwd": ""}, "cwd: .*''"),
    ({"env": 5}, "env: .*5"),
    ({"env": [("A", "1")]}, "env: .*dictionary"),
    ({"env": {"A": 1}}, r"env: .*'A': 1.*str\(\)"),
    ({"env": {1: "A"}}, "env: .*1: 'A'"),
    ({"env": {b"A": b"1"}}, "env: .*b'A'"),
    ({"env": {"A=B": "1"}}, "env: .*'A=B'.*'='"),
    ({"env": {"": "1"}}, "env: .*'': '1'.*empty"),
    ({"env": {"A": "a\0b"}}, "env: .*null"),
    ({"env": {"A\0": "1"}}, "env: .*null"),
    ({"env": {"A": "\ud800"}}, "env: .*surrogates"),
    ({"input": 5}, "input: .*5"),
    ({"input": ""}, "input: .*''"),
    ({"input": "a\0b"}, "input: .*null"),
    ({"input": "\udcff"}, "input: .*UTF-8"),
]

WRONG_ENVIRONMENTS: list[tuple[dict[str, Any], str]] = [
    ({"python": 5}, "python: .*5"),
    ({"python": ""}, "python: .*''"),
    ({"python": "a\0"}, "python: .*null"),
    ({"python": "\ud800"}, "python: .*UTF-8"),
    ({"params": 5}, "params: .*5"),
    ({"params": {5: 1}}, "params: .*5"),
    ({"params": {"\ud800": 1}}, "params: .*surrogates"),
    ({"modules": "kv.py"}, "modules: .*'kv.py'"),
    ({"modules": 5}, "modules: .*5"),
    ({"modules": (5,)}, "modules: .*5"),
    ({"modules": ("",)}, "modules: .*''"),
    ({"modules": ("a\0",)}, "modules: .*null"),
    ({"modules": ("\ud800",)}, "modules: .*UTF-8"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG_COMMANDS, ids=str)
def test_a_wrong_field_of_a_command_is_refused_by_name(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(sp.InvalidParameter) as caught:
        sp.Command(**{"argv": ("true",)} | fields)
    assert re.match(message, str(caught.value)), str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize(("fields", "message"), WRONG_ENVIRONMENTS, ids=str)
def test_a_wrong_field_of_an_environment_is_refused_by_name(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(sp.InvalidParameter) as caught:
        sp.Environment(**fields)
    assert re.match(message, str(caught.value)), str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize("line", ["", "  ", 5, None, b"ls"])
def test_a_line_that_is_no_command_is_refused(line: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"line: |empty"):
        sp.Command.parse(line)


def test_whatever_the_system_takes_is_taken(tmp_path: Path) -> None:
    command = sp.Command(
        ("true", ""),
        cwd=tmp_path,
        env={"A": "", "B": "\udcff=", "\u00fc": "1"},
    )
    comparison = sp.compare_live(command, command, duration_s=0.2)
    assert comparison.failures == ()


def test_a_working_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    there = sp.Command(("true",))
    with pytest.raises(sp.InvalidParameter, match=says("current:", "missing", "cwd")):
        sp.compare_live(there, sp.Command(("true",), cwd=tmp_path / "missing"), duration_s=0.2)
