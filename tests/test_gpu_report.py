"""What examples/gpu_report.sh does, on a machine that is made up: commands on the PATH and a Python
that only takes notes."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "examples" / "gpu_report.sh"
STEPS = [
    "build",
    "tests",
    "benchmarks-gpu",
    "benchmarks-round",
    "benchmarks-resident",
    "benchmarks-synthesis",
    "benchmarks-memory",
    "peers",
    "peers-synthesis",
    "peers-memory",
    "memcheck",
    "racecheck",
]

GPU = """#!/bin/sh
case $1 in
  --query-gpu=name) echo "NVIDIA H200" ;;
  --query-gpu=compute_cap) echo 9.0 ;;
  --query-gpu=driver_version) echo 580.1 ;;
  *) echo "changes settings: $*" >>"$NOTES" ;;
esac
"""
NO_GPU = "#!/bin/sh\necho NVIDIA-SMI has failed; exit 9\n"
COMPILER = "#!/bin/sh\necho Cuda compilation tools, release 13.0, V13.0.88\n"
SANITIZER = '#!/bin/sh\necho "sanitizer $*" >>"$NOTES"\n'

# Fails to import what $ABSENT names, unless pip has installed it; fails where $FAIL is among the
# arguments, and sleeps where $HANG is.
PYTHON = """#!/bin/sh
if [ "$1" = -c ]; then
  case $2 in
    "import sysconfig;"*) echo "${HEADERS:-$("$REAL" "$@")}"; exit ;;
    "import sys"*) exec "$REAL" "$@" ;;
    "import "*)
      name=${2#import }
      case " $ABSENT " in *" $name "*) [ -e "$NOTES.$name" ]; exit ;; esac
      exit 0 ;;
  esac
fi
echo "python $*" >>"$NOTES"
echo "archs $CUDAARCHS" >>"$NOTES"
case "$*" in *--find-links*) : >"$NOTES.msgspec" ;; esac
if [ -n "$FAIL" ]; then
  case "$*" in *"$FAIL"*) exit 7 ;; esac
fi
if [ -n "$HANG" ]; then
  case "$*" in *"$HANG"*) exec sleep 100 ;; esac
fi
echo "said by a step"
"""


class Machine:
    """A checkout with the script, and commands that pretend."""

    def __init__(self, folder: Path) -> None:
        self.notes = folder / "notes"
        self.commands = folder / "bin"
        self.scratch = folder / "scratch"
        self.root = folder / "checkout"
        for each in (self.commands, self.scratch, self.root / "examples"):
            each.mkdir(parents=True)
        shutil.copy(SCRIPT, self.root / "examples")
        for name, text in (
            ("nvidia-smi", GPU),
            ("nvcc", COMPILER),
            ("c++", COMPILER),
            ("cmake", COMPILER),
            ("ninja", COMPILER),
            ("compute-sanitizer", SANITIZER),
            ("python", PYTHON),
        ):
            self.put(name, text)

    def put(self, name: str, text: str) -> None:
        """Make a command."""
        path = self.commands / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the script."""
        kept: Mapping[str, str] = {
            name: value
            for name, value in os.environ.items()
            if name not in ("CXX", "CUDACXX", "CUDAARCHS", "WHEELS", "BUDGET_S")
        }
        return subprocess.Popen(
            ["bash", str(self.root / "examples" / SCRIPT.name), *arguments],
            env={
                **kept,
                "PATH": f"{self.commands}:{os.environ['PATH']}",
                "PYTHON": str(self.commands / "python"),
                "REAL": sys.executable,
                "NOTES": str(self.notes),
                "TMPDIR": str(self.scratch),
                "ABSENT": "",
                "FAIL": "",
                "HANG": "",
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Run the script: its exit code, what it said and what it complained of."""
        started = self.start(*arguments, **environment)
        out, err = started.communicate(timeout=100)
        # Nothing is left behind but the results.
        assert list(self.scratch.iterdir()) == []
        return started.returncode, out, err

    def done(self) -> str:
        """Return what was called."""
        return self.notes.read_text() if self.notes.exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def verdicts(text: str) -> dict[str, str]:
    """Return what the summary says of each step."""
    lines = (line.split(maxsplit=1) for line in text.splitlines())
    return {words[0]: words[1] for words in lines if len(words) == 2 and words[0] in STEPS}


def test_all_steps_are_done_in_order_and_pass(machine: Machine) -> None:
    code, out, err = machine.run()
    assert (code, err) == (0, "")
    assert list(verdicts(out)) == STEPS
    assert all(verdict.startswith("passed, ") for verdict in verdicts(out).values())
    (folder,) = (machine.root / "examples" / "results").iterdir()
    assert folder.name.startswith("nvidia-h200-")
    assert folder.name.endswith("-vcpu")
    summary = (folder / "summary.txt").read_text()
    assert summary == out
    for part in ("NVIDIA H200", "driver: 580.1", "release 13.0", "== peers\nsaid by a step"):
        assert part in summary
    logs = {path.name for path in folder.iterdir()}
    assert logs == {"summary.txt", *(f"{name}.log" for name in STEPS)}


def test_it_builds_for_this_gpu_without_a_network_and_leaves_its_settings(
    machine: Machine,
) -> None:
    machine.run()
    build = machine.done().splitlines()[0]
    for option in ("--no-build-isolation", "--no-deps", "--no-index", "STRATOPERF_CUDA=ON"):
        assert option in build
    assert "archs 90\n" in machine.done()
    assert "changes settings" not in machine.done()


def test_the_sanitizers_see_the_tests_of_a_gpu(machine: Machine) -> None:
    machine.run()
    sanitized = [line for line in machine.done().splitlines() if line.startswith("sanitizer")]
    assert [line.split()[2] for line in sanitized] == ["memcheck", "racecheck"]
    for line in sanitized:
        assert "--error-exitcode 99" in line
        assert "-m pytest" in line
        assert "-m gpu" in line


def test_without_a_gpu_it_says_so_and_does_nothing(machine: Machine, tmp_path: Path) -> None:
    machine.put("nvidia-smi", NO_GPU)
    code, out, err = machine.run(str(tmp_path / "out"))
    assert (code, out) == (3, "")
    assert "a GPU: nvidia-smi lists none" in err
    assert machine.done() == ""
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_named_with_how_to_bring_it(machine: Machine) -> None:
    code, _, err = machine.run(ABSENT="msgspec pynvml")
    assert code == 3
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    (advice,) = (line.strip() for line in err.splitlines() if "pip download" in line)
    start = f"pip download -d wheels --only-binary :all: --python-version {version} "
    assert advice.startswith(start)
    assert sorted(advice.removeprefix(start).split()) == ["msgspec", "nvidia-ml-py"]


def test_missing_headers_of_python_are_said(machine: Machine, tmp_path: Path) -> None:
    code, _, err = machine.run(HEADERS=str(tmp_path))
    assert code == 3
    assert f"{tmp_path} has no Python.h; install python3-dev" in err


def test_a_missing_package_is_taken_from_a_folder_of_wheels(
    machine: Machine, tmp_path: Path
) -> None:
    code, _, _ = machine.run(ABSENT="msgspec", WHEELS=str(tmp_path / "wheels"))
    assert code == 0
    first = machine.done().splitlines()[0]
    assert f"--no-index --find-links {tmp_path / 'wheels'}" in first
    assert first.endswith("msgspec")


@pytest.mark.parametrize(
    ("part", "step"), [("-m gpu --color no {}/tests/cuda", "tests"), ("gpu.*", "benchmarks-gpu")]
)
def test_a_step_that_fails_does_not_keep_the_others_from_being_done(
    part: str, step: str, machine: Machine
) -> None:
    code, out, _ = machine.run(FAIL=part.format(machine.root))
    assert code == 1
    assert list(verdicts(out)) == STEPS
    failed = {name for name, verdict in verdicts(out).items() if not verdict.startswith("passed")}
    assert failed == {step}
    assert verdicts(out)[step].startswith("FAILED with exit code 7")


def test_without_a_build_nothing_else_is_done(machine: Machine) -> None:
    code, out, _ = machine.run(FAIL="pip install")
    assert code == 1
    assert list(verdicts(out)) == ["build"]


def test_a_missing_sanitizer_is_said_and_is_no_pass(machine: Machine) -> None:
    (machine.commands / "compute-sanitizer").unlink()
    if shutil.which("compute-sanitizer"):
        pytest.skip("compute-sanitizer is installed here")
    code, out, _ = machine.run()
    assert code == 1
    assert verdicts(out)["memcheck"] == "not done: compute-sanitizer is not on the PATH"


def test_what_does_not_fit_into_the_time_is_said(machine: Machine) -> None:
    code, out, _ = machine.run(HANG="gpu.*", BUDGET_S="25")
    assert code == 1
    assert verdicts(out)["benchmarks-gpu"].startswith("did not fit into its time")
    assert verdicts(out)["racecheck"] == "did not fit: the 25 s are over"


def test_ctrl_c_ends_the_step_that_runs_and_leaves_nothing(machine: Machine) -> None:
    started = machine.start(HANG="gpu.*")
    deadline = time.monotonic() + 60
    while "gpu.*" not in machine.done() and time.monotonic() < deadline:
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=60)
    assert started.returncode == 130
    assert list(machine.scratch.iterdir()) == []


@pytest.mark.parametrize("arguments", [("a", "b"), ("--help",)])
def test_wrong_usage_is_said(arguments: tuple[str, ...], machine: Machine) -> None:
    code, _, err = machine.run(*arguments)
    assert code == 2
    assert err == "usage: gpu_report.sh [OUTPUT_DIR]\n"
