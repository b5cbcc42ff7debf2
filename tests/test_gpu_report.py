"""What examples/gpu_report.sh does, on a machine that is made up: commands on the PATH and a Python
that only takes notes."""

from __future__ import annotations

import os
import re
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
MEASURED = [
    "consensus-graph",
    "consensus-persistent",
    "consensus-launch",
    "launch",
    "synthesis",
    "copies",
    "migration",
    "utilization",
    "peers-consensus",
    "peers-synthesis",
    "peers-memory",
]
STEPS = ["build", *MEASURED, "tests", "memcheck", "racecheck", "consensus-sizes"]
LIMIT_S = 480

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
SANITIZER = """#!/bin/sh
echo "sanitizer $*" >>"$NOTES"
if [ -n "$COLLECT" ]; then
  while [ "$1" != "$PYTHON" ]; do shift; done
  exec "$@"
fi
"""

# Fails to import what $ABSENT names, unless pip has installed it; fails where $FAIL is among the
# arguments, and sleeps where $HANG is. With $COLLECT, pytest looks for the tests.
PYTHON = """#!/bin/sh
if [ "$1" = -c ]; then
  case $2 in
    "import sysconfig;"*) echo "${HEADERS:-$("$REAL" "$@")}"; exit ;;
    "import sys"*) exec "$REAL" "$@" ;;
    *"facts().name"*) echo "${DEVICE:-NVIDIA H200}"; exit ;;
    "import "*)
      name=${2#import }
      case " $ABSENT " in *" $name "*) [ -e "$NOTES.$name" ]; exit ;; esac
      exit 0 ;;
  esac
fi
echo "python $*" >>"$NOTES"
echo "archs $CUDAARCHS" >>"$NOTES"
case "$*" in
  *--find-links*)
    : >"$NOTES.msgspec"
    for word; do
      if [ "$before" = --target ]; then mkdir "$word"; fi
      before=$word
    done ;;
esac
if [ -n "$COLLECT" ]; then
  case "$*" in "-m pytest "*) exec "$REAL" "$@" --collect-only -q ;; esac
fi
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

    def start(
        self, *arguments: str, stdout: int = subprocess.PIPE, **environment: str
    ) -> subprocess.Popen[str]:
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
                "COLLECT": "",
                **environment,
            },
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_for(self, word: str) -> None:
        """Wait until a step with this word has begun."""
        deadline = time.monotonic() + 60
        while word not in self.done() and time.monotonic() < deadline:
            time.sleep(0.05)

    def run(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Run the script: its exit code, what it said and what it complained of."""
        started = self.start(*arguments, stdout=subprocess.PIPE, **environment)
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


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


def verdicts(text: str) -> dict[str, str]:
    """Return what is said of each step."""
    lines = (line.split(maxsplit=1) for line in text.splitlines())
    return {words[0]: words[1] for words in lines if len(words) == 2 and words[0] in STEPS}


def runs(notes: str) -> list[str]:
    """Return the names of the benchmarks that were run."""
    return [line.split(" run ")[1].split()[0] for line in notes.splitlines() if " run " in line]


def test_all_steps_are_done_in_order_and_pass(machine: Machine) -> None:
    code, out, err = machine.run()
    assert (code, err) == (0, "")
    assert list(verdicts(out)) == STEPS
    assert all(verdict.startswith("passed, ") for verdict in verdicts(out).values())
    (folder,) = (machine.root / "examples" / "results").iterdir()
    assert folder.name.startswith("nvidia-h200-")
    assert folder.name.endswith("-vcpu")
    summary = (folder / "summary.txt").read_text()
    assert list(verdicts(summary)) == STEPS
    for part in ("NVIDIA H200", "driver 580.1", "release 13.0", "== launch\nsaid by a step"):
        assert part in summary
    assert "all is done and passed" in summary
    assert "all is done and passed" in out
    logs = {path.stem for path in folder.glob("*.log")}
    assert logs == set(STEPS)
    # The build was for the next call, and there is none.
    assert not (machine.root / "build" / "gpu-report").exists()


def test_the_tests_that_it_runs_are_found_with_its_settings(machine: Machine, output: Path) -> None:
    (machine.root / "tests").symlink_to(SCRIPT.parents[1] / "tests")
    code, _, err = machine.run(str(output), COLLECT="1")
    assert (code, err) == (0, "")
    for step in ("tests", "memcheck", "racecheck"):
        log = (output / f"{step}.log").read_text()
        assert re.search(r"\b[1-9]\d* selected", log), log
        assert "warning" not in log


def test_the_boxes_add_up_to_less_than_the_limit() -> None:
    script = SCRIPT.read_text()
    (before,) = re.findall(r"^until=(\d+) ", script, re.M)
    boxes = re.findall(r'^ *(?:step|measure) "?([a-z$-]+)"? (\d+) ', script, re.M)
    seconds = {name: int(box) for name, box in boxes}
    for mode in ("graph", "persistent", "launch"):
        seconds[f"consensus-{mode}"] = seconds["consensus-$mode"]
    del seconds["consensus-$mode"]
    assert sorted(seconds) == sorted(STEPS)
    assert int(before) + sum(seconds.values()) < LIMIT_S
    assert f"BUDGET_S:-{LIMIT_S}" in script


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
    assert [line.partition("--tool ")[2].split()[0] for line in sanitized] == [
        "memcheck",
        "racecheck",
    ]
    for line in sanitized:
        for part in ("--error-exitcode 99", "-m pytest", "-m gpu"):
            assert part in line


def test_without_a_gpu_it_says_so_and_does_nothing(machine: Machine, output: Path) -> None:
    machine.put("nvidia-smi", NO_GPU)
    code, out, err = machine.run(str(output))
    assert (code, out) == (3, "")
    assert "a GPU: nvidia-smi lists none" in err
    assert machine.done() == ""
    assert not output.exists()


def test_nothing_is_measured_on_what_is_not_the_gpu(machine: Machine, output: Path) -> None:
    code, _, err = machine.run(str(output), DEVICE="emulated device")
    assert code == 3
    for word in ("NVIDIA H200", "emulated device"):
        assert word in err
    assert [path.name for path in output.glob("*.log")] == ["build.log"]


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


@pytest.mark.parametrize("is_default", [True, False])
def test_a_missing_package_is_taken_from_a_folder_of_wheels(
    machine: Machine, tmp_path: Path, is_default: bool
) -> None:
    folder = (machine.root if is_default else tmp_path) / "wheels"
    folder.mkdir()
    code, _, _ = machine.run(ABSENT="msgspec", **({} if is_default else {"WHEELS": str(folder)}))
    assert code == 0
    first = machine.done().splitlines()[0]
    assert f"--no-index --find-links {folder}" in first
    assert first.endswith("msgspec")


@pytest.mark.parametrize("absent", ["pytest", "hypothesis"])
def test_without_what_tests_need_all_else_is_done(
    machine: Machine, output: Path, absent: str
) -> None:
    code, out, _ = machine.run(str(output), ABSENT=absent)
    assert code == 1
    assert list(verdicts(out)) == ["build", *MEASURED, "consensus-sizes"]
    assert "missing: tests memcheck racecheck" in out
    assert f" {absent}\n" in out


@pytest.mark.parametrize(
    ("part", "step"), [("-m gpu --color no {}/tests/cuda", "tests"), ("gpu.launch", "launch")]
)
def test_a_step_that_fails_keeps_no_other_from_being_done_and_is_done_again(
    part: str, step: str, machine: Machine, output: Path
) -> None:
    code, out, _ = machine.run(str(output), FAIL=part.format(machine.root))
    assert code == 1
    assert list(verdicts(out)) == STEPS
    failed = {name for name, verdict in verdicts(out).items() if not verdict.startswith("passed")}
    assert failed == {step}
    assert verdicts(out)[step].startswith("FAILED with exit code 7")
    assert f"missing: {step} \n" in out
    (output / step).mkdir(exist_ok=True)
    (output / step / "x_20261129T000000Z.json").touch()
    code, out, _ = machine.run(str(output))
    assert code == 0
    assert list(verdicts(out)) == [step]
    # A failure is no interrupt: it is measured anew.
    assert "--resume" not in machine.done()
    before = machine.done()
    code, out, _ = machine.run(str(output))
    assert (code, machine.done()) == (0, before)
    assert "all is done and passed" in out


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
    assert "missing: memcheck racecheck" in out
    assert "compute-sanitizer is not on the PATH" in out


def test_what_does_not_fit_into_the_time_is_left_for_the_next_call(
    machine: Machine, output: Path
) -> None:
    begun = time.monotonic()
    code, out, _ = machine.run(str(output), HANG="gpu.launch", BUDGET_S="14")
    assert time.monotonic() - begun < 60
    assert code == 1
    assert verdicts(out)["launch"].startswith("out of time")
    summary = verdicts((output / "summary.txt").read_text())
    assert summary["consensus-launch"].startswith("passed")
    assert summary["synthesis"] == "not begun"
    assert machine.run(str(output))[0] == 0
    assert runs(machine.done()).count("consensus.round") == 4
    assert runs(machine.done()).count("gpu.launch") == 2


def test_after_kill_9_the_next_call_goes_on_where_it_was(machine: Machine, output: Path) -> None:
    started = machine.start(str(output), HANG="gpu.launch")
    machine.wait_for("gpu.launch")
    journal = output / "launch" / "gpu.launch_20261129T000000Z.journal"
    journal.mkdir(parents=True)
    started.kill()
    started.communicate(timeout=60)
    # The step ends by itself, and what the call left is removed by the next.
    code, out, _ = machine.run(str(output))
    assert code == 0
    assert list(verdicts(out)) == STEPS[STEPS.index("launch") :]
    assert f"run --resume {journal}\n" in machine.done()
    assert runs(machine.done()).count("consensus.round") == 4


def test_a_terminal_that_closes_does_not_end_it(machine: Machine, output: Path) -> None:
    outside, inside = os.openpty()
    started = machine.start(str(output), stdout=inside, HANG="gpu.launch", BUDGET_S="14")
    os.close(inside)
    machine.wait_for("gpu.launch")
    os.close(outside)
    started.send_signal(signal.SIGHUP)
    started.communicate(timeout=60)
    assert started.returncode == 1
    assert verdicts((output / "summary.txt").read_text())["launch"].startswith("out of time")


def test_results_of_two_sources_are_not_mixed(machine: Machine, output: Path) -> None:
    machine.run(str(output), FAIL="gpu.launch")
    before = machine.done()
    (machine.root / "src").mkdir()
    (machine.root / "src" / "changed.py").touch()
    code, _, err = machine.run(str(output))
    assert (code, machine.done()) == (2, before)
    assert "give another folder" in err


def test_ctrl_c_ends_the_step_that_runs_and_leaves_nothing(machine: Machine) -> None:
    started = machine.start(HANG="gpu.launch")
    machine.wait_for("gpu.launch")
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=60)
    assert started.returncode == 130
    assert list(machine.scratch.iterdir()) == []


@pytest.mark.parametrize("arguments", [("a", "b"), ("--help",)])
def test_wrong_usage_is_said(arguments: tuple[str, ...], machine: Machine) -> None:
    code, _, err = machine.run(*arguments)
    assert code == 2
    assert err == "usage: gpu_report.sh [OUTPUT_DIR]\n"
