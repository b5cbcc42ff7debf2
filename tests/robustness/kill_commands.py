"""The commands that the kill harness strikes, and what they need."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from pathlib import Path

import stratoperf as sp
from stratoperf.running import Listener

RUN = ("--duration", "20ms", "--warmup", "0", "--iterations", "5", "--processes", "2")
MEASURED = ("kill.python", "kill.native", "kill.sleeping", "kill.many")
_TIMED = ("sh baseline.sh", "sh current.sh")

# What is timed leaves processes in its group and in a session of their own.
SCRIPT = """
trap '' TERM HUP INT QUIT
sleep $STRATOPERF_KILL_NUMBER &
setsid sleep $STRATOPERF_KILL_NUMBER &
exec sleep 0.005
"""


@dataclasses.dataclass(frozen=True)
class Command:
    """A command to strike.

    Attributes
    ----------
    arguments
        Of ``stratoperf``.
    measures
        Whether it runs the suite, and what it measured can be resumed.
    is_live
        Whether it compares what runs now.
    resumes
        The suffix of what it goes on with; the argument ``PART`` stands for its path.
    """

    arguments: tuple[str, ...]
    measures: bool = False
    is_live: bool = False
    resumes: str | None = None


_LIVE = ("--live", "--duration", "300ms", "--output", "results")
# Its setup leaves a process too, which is to stay until the end.
_SHELL = (
    *("--shell", "--input", "baseline.sh", "--setup", "setsid sleep $STRATOPERF_KILL_NUMBER &"),
    *("--prepare", "true", "--cleanup", "sleep 0.05", "cat | wc -c", "wc -c | cat"),
)
_REPORTS = ("--junit", "gate.xml", "--markdown", "gate.md")
_STORED = ("--baseline", "stored/baseline.json", "--current", "stored/current.json")
_SIDES = ("--baseline-param", "size=1", "--current-param", "size=2")

COMMANDS = {
    "run": Command(("run", *MEASURED, *RUN), measures=True),
    "resume": Command(("run", "--resume", "PART"), measures=True, resumes=".json"),
    "resume-journal": Command(("run", "--resume", "PART"), measures=True, resumes=".journal"),
    "compare-live": Command(("compare", *_LIVE, *_TIMED), is_live=True),
    "compare-shell": Command(("compare", *_LIVE, *_SHELL), is_live=True),
    "check-live": Command(("check", *_LIVE, *_SIDES, *_REPORTS, "kill.parent"), is_live=True),
    "compare": Command(("compare", "stored/baseline.json", "stored/current.json")),
    "check": Command(("check", *_STORED, *_REPORTS)),
    "history": Command(("history", "stored")),
    "report": Command(("report", "stored", "--baseline", "stored/baseline.json")),
    "claims": Command(("claims", "stored/baseline.json")),
    "list": Command(("list",)),
    "doctor": Command(("doctor",)),
}


class _Interrupts(Listener):
    """Copies the journal in the middle of the second pass, which is what a kill leaves; stops."""

    def __init__(self, results: Path, copies: Path) -> None:
        self._results = results
        self._copies = copies
        self._count = 0

    def process_finished(self, index: int, case: object, number: int, planned: int) -> None:
        del index, case, planned
        self._count += number > 1
        if self._count == 2:
            shutil.copytree(self._results, self._copies)
            raise KeyboardInterrupt


def make_template(folder: Path) -> Path:
    """Make what commands need: run files to compare, scripts to time, runs to go on with."""
    template = folder / "template"
    (template / "stored").mkdir(parents=True)
    for name in ("baseline", "current"):
        (template / f"{name}.sh").write_text(SCRIPT)
        run = sp.run("kill.python", duration_s=0.01, warmup_s=0.0, iterations=5, processes=1)
        run.save(template / "stored" / f"{name}.json")
    # The commands load the benchmarks as they load those of other packages.
    plugin = folder / "plugins" / "kill_benchmarks-1.dist-info"
    plugin.mkdir(parents=True)
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: kill_benchmarks\nVersion: 1\n")
    (plugin / "entry_points.txt").write_text("[stratoperf.benchmarks]\nkill = kill_benchmarks\n")
    shutil.copy(Path(__file__).parent / "kill_benchmarks.py", plugin.parent)
    results = template / "part.json"
    with contextlib.suppress(sp.Interrupted):
        sp.run(
            list(MEASURED),
            output=results,
            duration_s=0.02,
            warmup_s=0.0,
            iterations=5,
            processes=2,
            listener=_Interrupts(results, template / "part.journal"),
        )
    return template
