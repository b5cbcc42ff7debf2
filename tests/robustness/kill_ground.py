"""A folder to strike in, with what people have in and around it."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import random
import select
import shutil
import subprocess
import sys
import termios
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import kill_benchmarks
import stratoperf as sp
from kill_commands import Command

MARK = "STRATOPERF_KILL"

START = "from stratoperf.cli import main; main()"


class Ground:
    """A folder to strike in: ``project`` with what the command needs, and files around it."""

    def __init__(self, folder: Path, template: Path, command: Command) -> None:
        self.project = folder / "project"
        self.results = self.project / "results"
        self.log = folder / "log"
        self.error = folder / "error"
        self.plugins = template.parent / "plugins"
        self.mark = uuid.uuid4().hex
        self.number = str(10**7 + random.Random(self.mark).randrange(10**7))
        shutil.copytree(template, self.project)
        self.arguments = command.arguments
        self.finished: Counter[str] = Counter()
        if command.resumes is not None:
            (part,) = (self.project / f"part{command.resumes}").rename(self.results).iterdir()
            self.arguments = (*command.arguments[:-1], f"results/{part.name}")
            self.finished = finished_in(sp.load(part))
        # What people have, beside and around results.
        for place in (folder, self.project, self.project / "src", self.results / "mine"):
            place.mkdir(parents=True, exist_ok=True)
            for name in ("run.json", "canary.json.part", "results.jsonl"):
                (place / name).write_text("{}")
        (self.results / "mine.journal").mkdir()
        (self.results / "mine.journal" / "notes.txt").write_text("mine")
        self._canaries = self._digests()

    def environment(self) -> dict[str, str]:
        """Return what the command finds in its environment."""
        return {
            **os.environ,
            "PYTHONPATH": str(self.plugins),
            MARK: self.mark,
            kill_benchmarks.LOG: str(self.log),
            kill_benchmarks.NUMBER: self.number,
        }

    def begun(self) -> list[str]:
        """Return the processes that began, by the names of their cases."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def touched(self) -> list[str]:
        """Return what changed though it is not the command's."""
        now = self._digests()
        return [name for name, digest in self._canaries.items() if now.get(name) != digest] + [
            f"{name} is new" for name in now.keys() - self._canaries.keys()
        ]

    def _digests(self) -> dict[str, str]:
        """Return digests of all files but those that commands write."""
        digests = {}
        for path in self.project.parent.rglob("*"):
            name = str(path.relative_to(self.project.parent))
            own = name.startswith("project/results/") and not name.startswith(
                ("project/results/mine/", "project/results/mine.journal/")
            )
            if path.is_file() and not own and name not in _WRITTEN:
                digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return digests

    def alive(self) -> list[str]:
        """Return the processes of the command that run."""
        wanted = f"{MARK}={self.mark}".encode()
        alive = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                # What only awaits its reaping has neither.
                if (
                    wanted in (process / "environ").read_bytes().split(b"\0")
                    or words[:2] == [b"sleep", self.number.encode()]
                ) and int(process.name) != os.getpid():
                    alive.append(f"{process.name} {b' '.join(words)[:80].decode(errors='replace')}")
        return alive


_WRITTEN = ("log", "error", "project/gate.xml", "project/gate.md")


def start(ground: Ground, terminal: int | None) -> subprocess.Popen[bytes]:
    """Start a command."""
    with ground.error.open("wb") as error:
        output = error if terminal is None else terminal
        return subprocess.Popen(
            [sys.executable, "-c", START, *ground.arguments],
            cwd=ground.project,
            env=ground.environment(),
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=None if terminal is None else functools.partial(_take_terminal, terminal),
        )


def _take_terminal(terminal: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


@contextlib.contextmanager
def started(ground: Ground, end: str) -> Iterator[tuple[Process, int | None]]:
    """Start a command, in a terminal where that is to be closed; it does not outlive the block."""
    main: int | None = None
    terminal: int | None = None
    if end == "TERMINAL":
        main, terminal = os.openpty()
    try:
        process = start(ground, terminal)
    finally:
        if terminal is not None:
            os.close(terminal)
    try:
        yield process, main
    finally:
        process.kill()
        process.wait()


Process = subprocess.Popen[bytes]


def read_until(main: int, moment: float) -> None:
    """Read what comes out of a terminal, so that nobody waits for it."""
    while (left := moment - time.monotonic()) > 0:
        if select.select([main], [], [], left)[0]:
            try:
                if not os.read(main, 65536):
                    return
            except OSError:
                return


def finished_in(run: sp.Run) -> Counter[str]:
    """Return how many processes are finished of each case, as the benchmarks write it down."""
    return Counter(
        {
            " ".join([entry.benchmark, *map(str, entry.params.values())]): len(
                {series.process for series in entry.series}
            )
            for entry, tree in zip(run.results, run.document["results"], strict=True)
            if entry.status == "ok" or "parts" in tree
        }
    )
