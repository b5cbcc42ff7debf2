"""Every command in an environment that lacks something: one sentence and the right exit code."""

from __future__ import annotations

import ctypes
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from stratoperf.results import load

MAIN = "from stratoperf.cli import main; main()"
TIMEOUT_S = 100
pytestmark = pytest.mark.slow("starts a command for each fault")

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
PR_CAPBSET_DROP = 24

MEASURE = ("run", "clock.overhead", "--duration", "10ms", "--warmup", "0", "--processes", "1")


class Ending(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one run."""
    folder = tmp_path_factory.mktemp("stored")
    ending = finished(start(*MEASURE, "--output", str(folder)))
    assert ending.code == 0
    return folder


def commands(stored: Path, folder: Path) -> dict[str, tuple[str, ...]]:
    latest = str(stored / "latest.json")
    return {
        "help": ("check", "--help"),
        "list": ("list",),
        "doctor": ("doctor", "--json", "--output", str(folder)),
        "claims": ("claims", latest),
        "history": ("history", str(stored)),
        "check": ("check", "--baseline", latest, "--current", latest),
        "run": (*MEASURE, "--output", str(folder / "results")),
    }


def start(
    *arguments: str | bytes,
    redirections: str = "",
    cwd: Path | None = None,
    environment: dict[str, str | None] | None = None,
    unprivileged: bool = False,
) -> subprocess.Popen[bytes]:
    changed = {**os.environ, "GITHUB_ACTIONS": None, "LC_ALL": None, **(environment or {})}
    return subprocess.Popen(
        ["/bin/sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-c", MAIN]
        + [os.fsdecode(argument) for argument in arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env={name: value for name, value in changed.items() if value is not None},
        preexec_fn=drop_privileges if unprivileged else None,
    )


def finished(process: subprocess.Popen[bytes]) -> Ending:
    out, err = process.communicate(timeout=TIMEOUT_S)
    return Ending(process.returncode, out.decode(), err.decode())


def drop_privileges() -> None:
    """Let permissions count for root, too; others have nothing to drop."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def all_commands(stored: Path, folder: Path, redirections: str) -> Iterator[tuple[str, Ending]]:
    for name, words in commands(stored, folder).items():
        yield name, finished(start(*words, redirections=redirections))


def assert_one_sentence(err: str) -> None:
    errors = [line for line in err.splitlines() if line.lower().startswith("error")]
    assert len(errors) == 1, err
    for raw in ("Traceback", "Errno", "Exception ignored", "STRATOSWARM_BENCH_DEBUG"):
        assert raw not in err


def assert_saved(folder: Path) -> None:
    (path,) = (folder / "results").glob("clock.overhead_*.json")
    assert load(path).results[0].status == "ok"


@pytest.mark.parametrize("fault", [">&-", ">&- <&-", ">/dev/full", "1</dev/null"])
def test_results_that_cannot_be_printed_end_with_1_and_say_so(
    fault: str, stored: Path, tmp_path: Path
) -> None:
    for name, ending in all_commands(stored, tmp_path, fault):
        assert ending.code == 1, name
        assert "standard output" in ending.err
        assert_one_sentence(ending.err)
        assert ("saved: " in ending.err) == (name == "run")
    assert_saved(tmp_path)


@pytest.mark.parametrize("fault", [">&- 2>&-", ">/dev/full 2>/dev/full", ">&- 2>&- <&-"])
def test_the_exit_code_is_right_although_nothing_can_be_said(
    fault: str, stored: Path, tmp_path: Path
) -> None:
    for name, ending in all_commands(stored, tmp_path, fault):
        assert ending == Ending(1, "", ""), name
    assert_saved(tmp_path)


@pytest.mark.parametrize("fault", ["2>&-", "2>/dev/full", "2>&- <&-"])
def test_remarks_that_nobody_gets_change_no_result(
    fault: str, stored: Path, tmp_path: Path
) -> None:
    for name, ending in all_commands(stored, tmp_path, fault):
        assert ending.code == 0, name
        assert ending.out
        if name == "doctor":
            json.loads(ending.out)
    assert_saved(tmp_path)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_away_loses_no_result(stream: str, stored: Path, tmp_path: Path) -> None:
    for name, words in commands(stored, tmp_path).items():
        process = start(*words)
        pipe, other = process.stdout, process.stderr
        if stream == "stderr":
            pipe, other = other, pipe
        assert pipe is not None
        assert other is not None
        pipe.close()
        with other:
            said = other.read().decode()
        assert process.wait(TIMEOUT_S) == (141 if stream == "stdout" else 0), name
        assert "Traceback" not in said
        assert "error" not in said.lower() or stream == "stderr"
    assert_saved(tmp_path)


def test_a_terminal_that_was_closed_is_an_output_that_fails(tmp_path: Path) -> None:
    main, secondary = pty.openpty()
    wait = "import sys; sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{wait}; {MAIN}", "list"],
        stdin=subprocess.PIPE,
        stdout=secondary,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
    )
    os.close(secondary)
    os.close(main)
    _, err = process.communicate("", timeout=TIMEOUT_S)
    assert process.returncode == 1
    assert "standard output" in err
    assert_one_sentence(err)


ENVIRONMENTS: list[dict[str, str | None]] = [
    {"TERM": None},
    {"TERM": "dumb", "FORCE_COLOR": "1"},
    {"NO_COLOR": "1", "FORCE_COLOR": "1"},
    {"COLUMNS": "0", "LINES": "0"},
    {"COLUMNS": "1", "FORCE_COLOR": "1"},
    {"COLUMNS": "9" * 5000, "FORCE_COLOR": "1"},
    {"COLUMNS": "²", "LINES": "²", "FORCE_COLOR": "1"},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1:strict", "FORCE_COLOR": "1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"HOME": None},
    {"HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none"},
    {"TMPDIR": "/nowhere"},
    {"PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1"},
    {"GITHUB_STEP_SUMMARY": "/proc/none/summary"},
]


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda one: " ".join(one))
def test_an_odd_environment_changes_no_result(
    environment: dict[str, str | None], stored: Path, tmp_path: Path
) -> None:
    for name in ("list", "check", "run"):
        ending = finished(start(*commands(stored, tmp_path)[name], environment=environment))
        assert ending.code == 0, (name, ending.err)
        assert ending.out
        assert "Traceback" not in ending.err
        if "GITHUB_STEP_SUMMARY" in environment and name == "check":
            assert "GITHUB_STEP_SUMMARY" in ending.err
    assert_saved(tmp_path)


def test_an_encoding_without_letters_of_others_gets_escapes(tmp_path: Path) -> None:
    ending = finished(start("claims", "Ταχύτητα", environment={"PYTHONIOENCODING": "ascii"}))
    assert ending.code == 2
    assert r"\u03a4" in ending.err


def test_a_deleted_working_directory_stops_only_what_needs_one(
    stored: Path, tmp_path: Path
) -> None:
    for name, words in {
        **commands(stored, tmp_path),
        "relative claims": ("claims",),
        "relative history": ("history", "results"),
        "relative run": MEASURE,
        "relative doctor": ("doctor",),
        "relative check": ("check",),
        "relative live": ("check", "--live", "true", "true", "--duration", "1s"),
    }.items():
        gone = tmp_path / "gone"
        gone.mkdir()
        script = 'rmdir "$PWD"; exec "$@"'
        ended = subprocess.run(
            ["/bin/sh", "-c", script, "sh", sys.executable, "-c", MAIN, *words],
            cwd=gone,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        if name.startswith("relative"):
            assert ended.returncode == 2, (name, ended.stderr)
            assert_one_sentence(ended.stderr)
        else:
            assert ended.returncode == 0, (name, ended.stderr)


def test_a_comparison_needs_no_folder_for_temporary_files(tmp_path: Path) -> None:
    program = f"""
import tempfile
tempfile._candidate_tempdir_list = lambda: ["/nowhere"]
{MAIN}
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, "check", "--live", "true", "true", "--duration", "1s"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert ended.returncode in (0, 1), ended.stderr
    assert "verdict" in ended.stdout


@pytest.fixture
def locked(tmp_path: Path, stored: Path) -> Iterator[Path]:
    """Return a folder with a file, a folder and a read-only folder that permissions protect."""
    (tmp_path / "run.json").write_bytes((stored / "latest.json").read_bytes())
    (tmp_path / "run.json").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "fixed").mkdir()
    (tmp_path / "fixed" / "run.json").write_bytes((stored / "latest.json").read_bytes())
    (tmp_path / "fixed").chmod(0o555)
    yield tmp_path
    for name in ("closed", "fixed"):
        (tmp_path / name).chmod(0o700)


@pytest.mark.parametrize(
    "words",
    [
        ("claims", "run.json"),
        ("claims", "closed"),
        ("claims", "closed/run.json"),
        ("history", "closed"),
        ("history", "closed/deeper"),
        ("compare", "run.json", "fixed"),
        ("compare", "closed", "fixed"),
        ("compare", "closed/a", "fixed"),
        ("check", "--baseline", "run.json", "--current", "fixed"),
        ("check", "--baseline", "fixed", "--current", "closed/a"),
        ("check", "--baseline", "fixed", "--current", "fixed", "--thresholds", "run.json"),
        ("check", "--baseline", "fixed", "--current", "fixed", "--thresholds", "closed/a"),
        ("check", "--baseline", "fixed", "--current", "fixed", "--markdown", "fixed/a.md"),
        ("check", "--baseline", "fixed", "--current", "fixed", "--junit", "closed/a.xml"),
        ("check", "--baseline", "fixed", "--current", "fixed", "--junit", "run.json"),
        ("check", "--live", "true", "true", "--duration", "1s", "--output", "fixed"),
        ("check", "--live", "true", "true", "--duration", "1s", "--output", "closed/a"),
        (*MEASURE, "--output", "fixed"),
        (*MEASURE, "--output", "fixed/deeper"),
        (*MEASURE, "--output", "closed"),
        ("run", "--resume", "run.json"),
        ("run", "--resume", "closed/run.json"),
        ("doctor", "--output", "closed/a"),
    ],
    ids=" ".join,
)
def test_what_permissions_refuse_is_wrong_usage(words: tuple[str, ...], locked: Path) -> None:
    ending = finished(start(*words, cwd=locked, unprivileged=True))
    assert ending.code == 2, ending
    assert_one_sentence(ending.err)
    assert "run.json" in ending.err or "closed" in ending.err or "fixed" in ending.err


@pytest.mark.parametrize("name", [b"a\xff\xfeb", "n" * 300, "n/" * 2500, "n" * 5000], ids=repr)
@pytest.mark.parametrize(
    "words",
    [
        ("claims", "{}"),
        ("history", "{}"),
        ("compare", "{}", "{}"),
        ("check", "--baseline", "{}", "--current", "{}"),
        ("check", "--live", "true", "{}"),
        ("check", "--live", "--baseline-env", "{}", "--current-env", "{}"),
        ("run", "--resume", "{}"),
        ("run", "{}"),
        ("list", "{}"),
        ("{}",),
    ],
    ids=" ".join,
)
def test_names_that_are_odd_or_too_long_are_wrong_usage(
    words: tuple[str, ...], name: str | bytes, tmp_path: Path
) -> None:
    ending = finished(start(*(word.format(os.fsdecode(name)) for word in words), cwd=tmp_path))
    assert ending.code == 2, ending
    assert_one_sentence(ending.err)
    # click writes what is not UTF-8 as U+FFFD.
    shown = ("nnn", "n/n/n", r"a\udcff\udcfeb", "a\ufffd\ufffdb")
    assert any(text in ending.err for text in shown)


def test_a_folder_whose_name_is_not_utf8_works_as_any_other(tmp_path: Path) -> None:
    folder = os.fsdecode(b"a\xff\xfeb")
    assert finished(start(*MEASURE, "--output", folder, cwd=tmp_path)).code == 0
    latest = f"{folder}/latest.json"
    for words in (
        ("claims", latest),
        ("history", folder),
        ("check", "--baseline", latest, "--current", latest, "--junit", f"{folder}/a.xml"),
    ):
        ending = finished(start(*words, cwd=tmp_path))
        assert ending.code == 0, ending
        assert ending.out


def test_a_folder_whose_name_is_too_long_is_refused_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    for words in (MEASURE, ("check", "--live", "true", "true")):
        ending = finished(start(*words, "--output", "n" * 300, cwd=tmp_path))
        assert ending.code == 2
        assert_one_sentence(ending.err)
