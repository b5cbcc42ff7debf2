"""Files that cannot be read: alone an error, in a folder left out and named, in every command."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
Write = Callable[..., Path]

BAD: dict[str, bytes] = {
    "empty": b"",
    "bytes": b'{"schema": "stratoperf.run/1\xff"}',
    "nested": b"[" * 100_000,
    "integers": b"[1, 1" + b"0" * 400 + b"]",
    "other": b'{"name": "a package", "version": 3}',
    "number": b"5",
    "year": json.dumps(
        {"schema": "stratoperf.run/1", "id": "", "created": "0000", "systems": {}, "results": []}
    ).encode(),
}

# Where {bad} is a file, or a folder with a bad and a good file.
COMMANDS = (
    ("compare", "good.json", "{bad}"),
    ("compare", "{bad}", "good.json"),
    ("check", "--baseline", "{bad}", "--current", "good.json"),
    ("check", "--baseline", "good.json", "--current", "{bad}"),
    ("check", "--baseline", "good.json", "--current", "good.json", "--history", "{bad}"),
    ("history", "{bad}"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_an_error_alone_and_left_out_among_good_ones(
    stratoperf: Command,
    write_run: Write,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    command: tuple[str, ...],
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    write_run("good.json", 1000.0)
    for folder in ("mixed", "bad"):
        Path(folder).mkdir()
        Path(folder, "torn.json").write_bytes(BAD[what])
    write_run("mixed/fine.json", 1001.0)

    def run(bad: str) -> Any:
        return stratoperf(*(word.format(bad=bad) for word in command))

    mixed = run("mixed")
    assert mixed.code == 0, mixed.err
    assert "torn.json" in mixed.out + mixed.err
    for bad in ("bad/torn.json", "bad"):
        ending = run(bad)
        assert ending.code == 2
        assert "torn.json" in ending.err
        assert "Traceback" not in ending.err


def test_claims_of_a_bad_file_are_an_error(stratoperf: Command) -> None:
    for what, content in BAD.items():
        Path("bad.json").write_bytes(content)
        ending = stratoperf("claims", "bad.json")
        assert ending.code == 2, what
        assert "bad.json" in ending.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_is_no_regular_file_ends_no_command(
    stratoperf: Command, write_run: Write, command: tuple[str, ...]
) -> None:
    write_run("good.json", 1000.0)
    Path("mixed/folder.json").mkdir(parents=True)
    os.mkfifo("mixed/pipe.json")
    Path("mixed/loop.json").symlink_to("loop.json")
    Path("mixed/device.json").symlink_to("/dev/zero")
    write_run("mixed/fine.json", 1001.0)
    assert stratoperf(*(word.format(bad="mixed") for word in command)).code == 0
    for name in ("pipe.json", "loop.json", "device.json", "folder.json"):
        assert stratoperf(*(word.format(bad=f"mixed/{name}") for word in command)).code == 2


def test_a_run_of_a_folder_whose_values_have_no_ratio_is_left_out(
    stratoperf: Command, write_run: Write
) -> None:
    write_run("good.json", 1000.0)
    Path("mixed").mkdir()
    write_run("mixed/fine.json", 1001.0)
    broken = write_run("mixed/zero.json", 1000.0)
    document = json.loads(broken.read_bytes())
    document["results"][0]["series"][0]["columns"]["latency"] = [0.0] * 20
    document["results"][0]["metrics"]["latency"].pop("summary", None)
    broken.write_text(json.dumps(document))
    ending = stratoperf("compare", "good.json", "mixed")
    assert ending.code == 0, ending.err
    assert "zero.json" in (ending.out + ending.err).replace("\n", "")
    assert stratoperf("compare", "good.json", "mixed/zero.json").code == 2


def test_a_key_that_is_there_twice_leaves_out_the_run_of_a_folder(
    stratoperf: Command, write_run: Write
) -> None:
    write_run("good.json", 1000.0)
    Path("mixed").mkdir()
    write_run("mixed/fine.json", 1001.0)
    twice = write_run("mixed/twice.json", 1000.0)
    document = json.loads(twice.read_bytes())
    document["results"] *= 2
    twice.write_text(json.dumps(document))
    assert stratoperf("compare", "good.json", "mixed").code == 0
    assert stratoperf("compare", "good.json", "mixed/twice.json").code == 2
