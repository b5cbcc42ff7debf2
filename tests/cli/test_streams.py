from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import stratoperf as sp
from stratoperf.cli import main

if TYPE_CHECKING:
    from tests.cli.conftest import Ending

SHORT = ("--duration", "20ms", "--warmup", "0", "--processes", "1")

LOUD = """
import atexit, ctypes, os, subprocess, sys
from sys import stdout
import stratoperf as sp

def shout(where):
    print("print", where)
    stdout.write(f"kept {where}\\n")
    sys.__stdout__.write(f"original {where}\\n")
    os.write(1, f"descriptor {where}\\n".encode())
    ctypes.CDLL(None).printf(b"printf %s\\n", where.encode())
    subprocess.run(["echo", "child", where], check=True)

atexit.register(shout, "atexit")

@sp.benchmark("loud")
def loud():
    shout("setup")
    return lambda: None

from stratoperf.running.registry import REGISTRY
everything = REGISTRY.all
def load_plugins():
    shout("plugin")
    return everything()
REGISTRY.all = load_plugins

from stratoperf.cli import main
main()
"""
WAYS = ("print", "kept", "original", "descriptor", "printf", "child")


def loud(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LOUD, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("run", "loud", *SHORT, "--json"), "setup"),
        (("list", "--json"), "plugin"),
        (("doctor", "--json"), "atexit"),
    ],
)
def test_json_has_stdout_to_itself(arguments: tuple[str, ...], where: str, tmp_path: Path) -> None:
    ended = loud(tmp_path, *arguments)
    assert ended.returncode == 0
    json.loads(ended.stdout)
    for way in WAYS:
        for place in (where, "atexit"):
            assert f"{way} {place}\n" in ended.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("list", "--help"), ("--version",), ("list",)])
def test_help_and_text_are_results_too(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ended = loud(tmp_path, *arguments)
    assert ended.returncode == 0
    assert ended.stdout
    assert not any(way in ended.stdout.split() for way in WAYS)
    assert "print atexit" in ended.stderr


def test_a_program_that_calls_main_gets_its_stdout_back(tmp_path: Path) -> None:
    program = """
from stratoperf.cli import main
print("before")
for _ in range(2):
    try:
        main(["--version"])
    except SystemExit:
        pass
    print("between")
import os
os.write(1, b"after\\n")
"""
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-u", "-c", program],
        capture_output=True,
        text=True,
        timeout=100,
    )
    version = f"stratoperf {sp.__version__}"
    expected = ["before", version, "between", version, "between", "after"]
    assert ended.stdout.splitlines() == expected
    assert ended.stderr == ""


def test_a_stdout_that_a_program_replaced_gets_the_results_alone(
    stratoperf: Callable[..., Ending],
) -> None:
    @sp.benchmark("replaced")
    def replaced() -> Callable[[], None]:
        print("from a benchmark")
        return lambda: None

    ending = stratoperf("run", "replaced", *SHORT, "--json")
    assert ending.code == 0
    json.loads(ending.out)
    assert "from a benchmark" in ending.err


def test_no_descriptor_stays_open(capfd: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(SystemExit):
        main(["--version"])
    assert sorted(Path("/proc/self/fd").iterdir()) == before
    assert capfd.readouterr().out == f"stratoperf {sp.__version__}\n"


def test_a_pipe_that_does_not_block_gets_everything(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    with subprocess.Popen(
        [sys.executable, "-c", "from stratoperf.cli import main; main()", "list", "--json"],
        stdout=writer,
        cwd=tmp_path,
    ) as process:
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as file:
            assert len(json.load(file)) > 10
        assert process.wait(100) == 0


TAKING = """
import os, sys
import stratoperf as sp

@sp.benchmark("taking")
def taking():
    where = os.stat("results.txt")
    numbers = [
        int(name) for name in os.listdir("/proc/self/fd")
        if int(name) > 2 and os.path.exists(f"/proc/self/fd/{name}")
        and os.path.samestat(os.stat(f"/proc/self/fd/{name}"), where)
    ]
    assert numbers
    for number in numbers:
        os.close(number)
    for number in numbers:
        theirs = os.open("theirs", os.O_CREAT | os.O_RDWR)
        # On purpose never closed.
        os.dup2(theirs, number)
    return lambda: None

from stratoperf.cli import main
main(*ARGUMENTS)
"""


@pytest.mark.parametrize("exits", [True, False])
def test_no_results_are_written_to_a_file_of_a_benchmark(tmp_path: Path, exits: bool) -> None:
    arguments = ["run", "taking", *SHORT]
    with (tmp_path / "results.txt").open("wb") as file:
        ended = subprocess.run(
            [
                sys.executable,
                *("-X", "dev", "-c"),
                TAKING.replace("*ARGUMENTS", "" if exits else repr(arguments)),
                *arguments,
            ],
            cwd=tmp_path,
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            timeout=100,
        )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    (why,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "standard output" in why
    assert "closed its descriptor" in why
    assert (tmp_path / "theirs").read_bytes() == b""
    saved = next(line for line in ended.stderr.splitlines() if line.startswith("saved: "))
    assert sp.load(tmp_path / saved.removeprefix("saved: ")).results[0].status == "ok"


def test_no_remarks_are_written_to_a_file_of_a_benchmark(tmp_path: Path) -> None:
    program = """
import os
import stratoperf as sp

@sp.benchmark("taking")
def taking():
    os.dup2(os.open("theirs", os.O_CREAT | os.O_RDWR), 2)
    os.closerange(3, 5)
    print("a print", flush=True)
    import sys
    print("a remark", file=sys.stderr, flush=True)
    return lambda: None

from stratoperf.cli import main
main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, "run", "taking", *SHORT],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (tmp_path / "theirs").read_bytes() == b"", ended


def test_a_benchmark_that_uses_the_command_line_leaves_results_where_they_go(
    stratoperf: Callable[..., Ending],
) -> None:
    @sp.benchmark("nested")
    def nested() -> Callable[[], None]:
        with pytest.raises(SystemExit):
            main(["list", "--json"])
        return lambda: None

    ending = stratoperf("run", "nested", *SHORT)
    assert ending.code == 0
    assert "nested on cpu" in ending.out
