"""Strikes the saving of runs at each of its calls to the file system in turn.

``python strikes.py SCENARIO MODE FOLDER`` repeats a scenario in forked children. In the n-th
repetition the n-th call does not happen: the process ends there, or the call fails. After each it
looks at the disk as the next user would. Prints the number of calls, and what was wrong.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import fcntl
import io
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

import stratoperf as sp
from stratoperf.results.journal import Journal
from stratoperf.results.parts import measured
from stratoperf.results.storage import LONGEST_INLINE_COLUMN, files_of
from stratoperf.running.recorder import FileRecorder
from stratoperf.running.start_recording import resume_file, start_file

Acknowledge = Callable[[str], None]

KEYS = ["a", "b"]
PROCESSES = ["p1", "p2"]
LENGTHS = {"a": LONGEST_INLINE_COLUMN + 1, "b": 3}
SCENARIOS: dict[str, tuple[Callable[[Path], None], Callable[[Path, Acknowledge], None]]] = {}
MODES = ("kill", "fail", "fail-on")


class Strike:
    """Counts the calls that change the disk and lets one of them not happen."""

    def __init__(self, number: int, mode: str) -> None:
        self._left = number
        self._mode = mode
        self.count = 0

    def due(self) -> None:
        """End the process or raise when it is this call's turn."""
        self.count += 1
        self._left -= 1
        if self._left > 0 or (self._left < 0 and self._mode == "fail"):
            return
        if self._mode == "kill" and self._left == 0:
            os._exit(99)
        if self._mode != "kill":
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def install(self) -> None:
        """Put it in front of the functions of this process."""
        for name in ("mkdir", "rename", "replace", "link", "unlink", "rmdir", "fsync", "ftruncate"):
            setattr(os, name, self._before(getattr(os, name)))
        fcntl.flock = self._before(fcntl.flock)
        pwrite, create, opened = os.pwrite, os.open, io.open

        def torn(descriptor: int, content: bytes, offset: int) -> int:
            self.due()
            half = pwrite(descriptor, content[: (len(content) + 1) // 2], offset)
            self.due()
            return half

        def creating(path: Any, flags: int, *rest: Any, **keywords: Any) -> int:
            if flags & os.O_CREAT:
                self.due()
            return create(path, flags, *rest, **keywords)

        def writing(path: Any, mode: str = "r", *rest: Any, **keywords: Any) -> Any:
            if set(mode) & set("wax+"):
                self.due()
            return opened(path, mode, *rest, **keywords)

        for module, name, function in (
            (os, "pwrite", torn),
            (os, "open", creating),
            (io, "open", writing),
            (builtins, "open", writing),
        ):
            setattr(module, name, function)

    def _before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            self.due()
            return function(*arguments, **keywords)

        return call


def part(key: str, process: str) -> dict[str, Any]:
    tree = result(key)
    tree["series"][0]["process"] = process
    tree["series"][0]["columns"]["latency"] += int(process[1:])
    return tree


def result(key: str, status: str = "ok") -> dict[str, Any]:
    return {
        "key": key,
        "benchmark": key,
        "benchmark_version": 1,
        "backend": "cpu",
        "status": status,
        "series": [{"columns": {"latency": np.arange(float(LENGTHS[key]))}}],
    }


def document(identity: str = "run") -> dict[str, Any]:
    return {
        "schema": "stratoperf.run/1",
        "id": identity,
        "created": "2026-01-02T03:04:05Z",
        "systems": {},
        "plan": {"request": {}, "keys": KEYS},
        "results": [],
    }


def nothing(folder: Path) -> None:
    del folder


def interrupted_file(folder: Path) -> None:
    """Leave a run file of which the second result is interrupted, both with long series."""
    tree = document()
    LENGTHS["b"] = LENGTHS["a"]
    tree["results"] = [result("a"), result("b", "interrupted")]
    LENGTHS["b"] = 3
    sp.results.Run(tree).save(folder / "x.json")


def interrupted_parts(folder: Path) -> None:
    """Leave a run file of which both cases were interrupted after their first process."""
    recorder = start_file(folder, document(), ["x"])
    for key in KEYS:
        recorder.add_part(part(key, "p1"))
    recorder.finish(KEYS, complete=False)


def torn_journal(folder: Path) -> None:
    """Leave the journal of a run that was killed while it wrote its second result."""
    with Journal.create(folder / "x.journal", document()) as journal:
        journal.append(result("a"))
    with (folder / "x.journal" / "results.jsonl").open("ab") as file:
        file.write(b'{"key": "b", "bench')


def start(folder: Path, acknowledge: Acknowledge) -> None:
    carry_on(start_file(folder, document(), ["x"]), acknowledge)


def resume_run_file(folder: Path, acknowledge: Acknowledge) -> None:
    acknowledge("a")
    carry_on(resume_file(folder / "x.json", dict)[1], acknowledge)


def resume_journal(folder: Path, acknowledge: Acknowledge) -> None:
    acknowledge("a")
    carry_on(resume_file(folder / "x.journal", dict)[1], acknowledge)


def interrupt(folder: Path, acknowledge: Acknowledge) -> None:
    """Save a run whose long series is measured again when it is resumed."""
    recorder = start_file(folder, document(), ["x"])
    try:
        recorder.add(result("b"))
        acknowledge("b")
        partial = result("a", "interrupted")
        partial["series"][0]["columns"]["latency"] += 1
        recorder.add(partial)
        recorder.finish(KEYS, complete=False)
    finally:
        recorder.abandon()


def start_parts(folder: Path, acknowledge: Acknowledge) -> None:
    carry_on(start_file(folder, document(), ["x"]), acknowledge, processes=PROCESSES)


def resume_parts(folder: Path, acknowledge: Acknowledge) -> None:
    for key in KEYS:
        acknowledge(f"{key} p1")
    (path,) = folder.glob("x*.json")
    carry_on(resume_file(path, dict)[1], acknowledge, processes=PROCESSES)


def interrupt_parts(folder: Path, acknowledge: Acknowledge) -> None:
    """Save a run that was interrupted between the passes over its cases."""
    recorder = start_file(folder, document(), ["x"])
    try:
        for key in KEYS:
            recorder.add_part(part(key, "p1"))
            acknowledge(f"{key} p1")
        recorder.add({**part("b", "p1"), "status": "interrupted"})
        recorder.finish(KEYS, complete=False)
    finally:
        recorder.abandon()


SCENARIOS["start"] = nothing, start
SCENARIOS["start-parts"] = nothing, start_parts
SCENARIOS["resume-parts"] = interrupted_parts, resume_parts
SCENARIOS["interrupt-parts"] = nothing, interrupt_parts
SCENARIOS["interrupt"] = nothing, interrupt
SCENARIOS["resume-run-file"] = interrupted_file, resume_run_file
SCENARIOS["resume-journal"] = torn_journal, resume_journal


def carry_on(
    recorder: FileRecorder,
    acknowledge: Acknowledge,
    keys: Sequence[str] = KEYS,
    processes: Sequence[str] = (),
) -> None:
    """Finish a run, with the processes of each case pass by pass."""
    try:
        recorder.add_system("box", {})
        missing = [
            key
            for key in keys
            if all(item["key"] != key or item["status"] != "ok" for item in recorder.results)
        ]
        for process in processes:
            for key in missing:
                if not {(key, process)} & known_parts(recorder, key):
                    recorder.add_part(part(key, process))
                    acknowledge(f"{key} {process}")
        for key in missing:
            series = [entry for tree in recorder.parts(key) for entry in tree["series"]]
            recorder.add({**result(key), "series": series} if series else result(key))
            acknowledge(key)
        recorder.finish(keys, complete=True)
    except BaseException:
        recorder.abandon()
        raise


def known_parts(recorder: FileRecorder, key: str) -> set[tuple[str, str]]:
    return {(key, tree["series"][0]["process"]) for tree in recorder.parts(key)}


def unsynced(descriptor: Any) -> None:
    """Stand in for bringing a file to the disk."""


def unheard(_: str) -> None:
    """Acknowledge to nobody."""


def struck(scenario: str, mode: str, number: int, folder: Path) -> tuple[bool, list[str]]:
    """Run a scenario with one strike; return whether it struck, and what was wrong."""
    prepare, act = SCENARIOS[scenario]
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "old.part").write_text("mine")
    prepare(folder)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        strike = Strike(number, mode)
        os.close(reader)

        def acknowledge(word: str) -> None:
            os.write(writer, f"{word}\n".encode())

        code = 0
        try:
            strike.install()
            act(folder, acknowledge)
        except sp.StratoperfError as error:
            acknowledge(f"error: {error}")
        except BaseException:
            acknowledge(f"raised: {traceback.format_exc()!r}")
        finally:
            if strike.count < number:
                code = 1
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        words = pipe.read().splitlines()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    problems = [word for word in words if word.startswith("raised")]
    problems += [f"{word!r} names no path" for word in words if "error" in word and "/" not in word]
    with noting(problems):
        check_disk(folder, {word for word in words if word.split()[0] in KEYS})
    return status != 1, problems


@contextlib.contextmanager
def noting(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except Exception:
        problems.append(traceback.format_exc())


def check_disk(folder: Path, finished: set[str]) -> None:
    """Look for what was finished, go on, start another run, and look for leftovers."""
    stored = [*folder.glob("x*.json"), *folder.glob("x*.journal")]
    loaded = [kept_words(sp.load(path)) for path in stored]
    assert not finished or any(is_kept(finished, kept) for kept in loaded), (
        f"finished {finished}, of which can be loaded {loaded}"
    )
    # Copies of a run file may refer to its arrays for ever.
    used = files_of_all(folder.glob("*.json"))
    for path in stored:
        if path.exists():
            _, recorder = resume_file(path, dict)
            resumed = {result["key"] for result in recorder.results if result["status"] == "ok"}
            resumed |= {" ".join(part) for key in KEYS for part in known_parts(recorder, key)}
            assert is_kept(finished, resumed), f"resumes {resumed}"
            carry_on(recorder, unheard, processes=PROCESSES)
            assert all(whole(entry) for entry in sp.load(recorder.path or "").results)
    carry_on(start_file(folder, document("other"), ["y"]), unheard, ["b"])
    runs = list(folder.glob("*.json"))
    assert sp.load(folder / "latest.json").id == "other"
    used |= files_of_all(runs)
    left = {path.name for path in folder.iterdir()} - {path.name for path in runs} - used
    assert left == {"notes.txt", "old.part"}, f"left: {left}"
    assert {(folder / name).read_text() for name in left} == {"mine"}


def files_of_all(paths: Iterable[Path]) -> set[str]:
    return set().union(*(files_of(sp.load(path).document) for path in paths))


def kept_words(run: sp.Run) -> set[str]:
    """Return what `carry_on` acknowledged of what a run holds whole."""
    assert all(whole(result) for result in run.results if result.status == "ok")
    return {" ".join(key).strip() for key in measured(run.document["results"])}


def is_kept(finished: set[str], kept: set[str]) -> bool:
    """Return whether each case and each process is there, or the case of the process."""
    return all(word in kept or word.split()[0] in kept for word in finished)


def whole(one: Any) -> bool:
    return all(len(series.columns["latency"]) == LENGTHS[one.key] for series in one.series)


def main(scenario: str, mode: str, folder: Path) -> None:
    for number in range(1, 1000):
        place = folder / str(number)
        # What the kernel has outlives the process; bringing it to the disk would take long.
        with mock.patch.object(os, "fsync", unsynced):
            happened, problems = struck(scenario, mode, number, place)
        for problem in problems:
            print(f"{scenario}, {mode} {number}: {problem}")
        if not problems:
            shutil.rmtree(place)
        if not happened:
            print(number - 1)
            return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
