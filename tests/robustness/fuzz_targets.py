"""What is fuzzed: where an input goes, and what users do next with what was read of it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import runpy
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
import pytest

import fuzz_mutators as mutators
import fuzz_seeds as seeds
import stratoperf as sp
from scripted_workers import ScriptedWorker
from stratoperf.analysis.gate import decide
from stratoperf.analysis.thresholds import load_thresholds
from stratoperf.cli import options
from stratoperf.cli.application import application
from stratoperf.door import check_tree
from stratoperf.monitor import counters, system
from stratoperf.monitor.capability_checks import capability_checks
from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.noise_checks import noise_checks
from stratoperf.presentation.annotations import github_annotations
from stratoperf.presentation.exports import FORMATS
from stratoperf.presentation.junit import comparison_junit
from stratoperf.presentation.markdown import comparison_markdown
from stratoperf.presentation.terminal import (
    claims_view,
    comparison_view,
    history_view,
    profile_view,
    results_view,
)
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.results import Run, load
from stratoperf.results.archives import open_archive
from stratoperf.results.journal import Journal
from stratoperf.results.moments import moment_of
from stratoperf.results.storage import encode_line, finite
from stratoperf.running import claims
from stratoperf.running.live.two_environments import slicing
from stratoperf.running.workers import answers
from stratoperf.stratoswarm.consensus import VoteBatch
from stratoperf.stratoswarm.memory.assignments import DIRECTORIES_VARIABLE
from stratoperf.stratoswarm.memory.discovery import discover

FOREIGN_FILES = Path(__file__).parents[1] / "importing" / "files"


class Target(NamedTuple):
    """A kind of input.

    Attributes
    ----------
    seeds
        Valid inputs.
    mutate
        Returns a changed input.
    exercise
        Reads the input and uses what was read; raises whatever escapes. Returns a word for the
        outcome.
    share
        Of so many inputs in a round.
    """

    seeds: list[bytes]
    mutate: Callable[[bytes, random.Random], bytes]
    exercise: Callable[[bytes, random.Random], str]
    share: int


def _often(rng: random.Random, share: float) -> bool:
    """Return true for a share of the inputs; for all where the input is repeated."""
    return isinstance(rng, Always) or rng.random() < share


class Always(random.Random):
    """Chance that leaves nothing out."""


def _screen() -> Screen:
    return Screen.stdout()


class Runs:
    """Run files, alone and in a folder with a good one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "run.json"
        self.good = Run(seeds.document(2))
        self.others = folder / "others"
        self.others.mkdir()
        self.good.save(self.others / "good.json")
        self.good.save(folder / "good.json")
        (folder.parent / "secret.npz").write_bytes(seeds.arrays(folder))
        os.mkfifo(folder / "pipe")
        (folder / "link.npz").symlink_to("../secret.npz")
        (folder / "folder").mkdir()
        self.seeds = [
            seeds.encoded_document(tree)
            for tree in (seeds.document(), seeds.live_document(), seeds.with_arrays(folder))
        ]

    def exercise(self, content: bytes, rng: random.Random) -> str:
        self.path.write_bytes(content)
        if _often(rng, 0.02):
            self.commands(rng)
        try:
            run = load(self.path)
        except sp.SchemaError as error:
            if str(self.path) not in str(error):
                raise AssertionError(f"the file is not named: {error}") from error
            return "refused"
        self.use(run, rng)
        return "loaded"

    def use(self, run: Run, rng: random.Random) -> None:
        """Do what users do, each thing for a share of the inputs."""
        uses: list[tuple[float, Callable[[Run], object]]] = [
            (0.5, self.views),
            (0.4, self.columns),
            (0.5, self.saved),
            (0.2, lambda run: claims_view.claim_rows(claims(run))),
            (0.15, self.screens),
            (0.15, lambda run: self.compared(self.good, run, rng)),
            (0.1, lambda run: self.compared(run, run, rng)),
            (0.1, self.dated),
            (0.1, self.reported),
            (0.02, Run.to_dataframe),
        ]
        for share, use in uses:
            if _often(rng, share):
                with contextlib.suppress(sp.StratoperfError):
                    use(run)

    def views(self, run: Run) -> None:
        repr(run)
        run._repr_html_()
        for result in run.results:
            repr(result)
            for metric in result.metrics.values():
                for name in ("mean", "p50", "p95", "p99", "p999"):
                    metric.statistic(name)

    def columns(self, run: Run) -> None:
        for result in run.results:
            for series in result.series_of("latency"):
                for name in series.columns:
                    with contextlib.suppress(sp.StratoperfError):
                        column = series.columns[name]
                        assert column.ndim == 1, column.shape
                        column.astype("f8").max(initial=0.0)

    def saved(self, run: Run) -> None:
        path = self.folder / "copy" / "again.json"
        try:
            run.save(path)
        except sp.StratoperfError:
            return
        again = load(path)
        whole = json.dumps(finite(dict(run.document)), sort_keys=True)
        if (
            json.dumps(finite(dict(again.document)), sort_keys=True) != whole
            and '"file"' not in whole
        ):
            raise AssertionError("what was saved is not what was loaded")
        shutil.rmtree(path.parent)

    def screens(self, run: Run) -> None:
        screen = _screen()
        results_view.show_results(screen, run)
        profile_view.show_profiles(screen, run)
        claims_view.show_claims(screen, claims(run))
        claims_view.show_measured_claims(screen, claims(run))
        claims(run)._repr_html_()

    def compared(self, first: Run, second: Run, rng: random.Random) -> None:
        statistics = [rng.choice(("p50", "p95", "p99", "p999", "mean", "throughput"))]
        comparison = sp.compare(
            first, second, statistics=statistics, thresholds={"kv.*": 0.1}, history=self.good
        )
        decision = decide(comparison, "fail")
        comparison_markdown(comparison, decision)
        comparison_junit(comparison, decision)
        list(github_annotations(comparison, decision))
        json.dumps(comparison.to_dict())
        str(comparison)
        repr(comparison)
        comparison._repr_html_()
        screen = _screen()
        comparison_view.show_comparison(screen, comparison)
        comparison_view.show_decision(screen, decision)

    def dated(self, run: Run) -> None:
        history = sp.history([self.good, run])
        json.dumps(history.to_dict())
        history._repr_html_()
        str(history)
        history_view.show_history(_screen(), history)

    def reported(self, run: Run) -> None:
        run.report(self.folder / "report.html", baseline=self.good)
        run.plot()
        for result in run.results:
            result.plot()

    def commands(self, rng: random.Random) -> None:
        """Run a command on the file, or on a folder that has a good one beside it."""
        folder, path, good = map(str, (self.folder, self.path, self.others))
        words = rng.choice(
            (
                ["claims", path],
                ["claims", path, "--json"],
                ["compare", good, path],
                ["compare", good, folder],
                ["check", "--baseline", folder, "--current", good, "--history", folder],
                ["check", "--baseline", path, "--current", path, "--json"],
                ["history", folder],
                ["history", folder, "--json"],
                ["report", path, "--baseline", good, "--output", f"{folder}/report.html"],
            )
        )
        with contextlib.suppress(sp.StratoperfError, click.ClickException, click.exceptions.Exit):
            application.main(words, prog_name="stratoperf", standalone_mode=False)


class Journals:
    """The header and the lines of a journal."""

    def __init__(self, folder: Path, runs: Runs, part: str) -> None:
        self.runs = runs
        self.path = folder / "run.journal"
        tree = seeds.document()
        Journal.create(self.path, {**tree, "results": []}).close()
        self.part = self.path / {"header": "run.json", "lines": "results.jsonl"}[part]
        # A case whose result does not repeat the samples of its part, and one with parts only.
        first, *others = sorted(tree["results"], key=lambda one: not one["series"])
        shared = [{**entry, "columns": number} for number, entry in enumerate(first["series"])]
        parts = [first, {**first, "key": "open"}, {**first, "key": "open"}]
        trees = [*({"part": item} for item in parts), {**first, "series": shared}, *others]
        (self.path / "results.jsonl").write_bytes(b"".join(map(encode_line, trees)))
        self.seeds = [self.part.read_bytes()]
        self.is_header = part == "header"

    def mutate(self, content: bytes, rng: random.Random) -> bytes:
        if self.is_header:
            return mutators.mutated_json(content, rng)
        lines = content.splitlines(keepends=True)
        at = rng.randrange(len(lines))
        lines[at] = mutators.mutated_json(lines[at].rstrip(b"\n"), rng)
        if rng.random() < 0.9:
            lines[at] += b"\n"
        return b"".join(lines)

    def exercise(self, content: bytes, rng: random.Random) -> str:
        self.part.write_bytes(content)
        try:
            run = load(self.path)
        except sp.SchemaError:
            return "refused"
        self.runs.use(run, rng)
        return "loaded"


class Thresholds:
    """Files of thresholds."""

    seeds = (seeds.THRESHOLDS,)

    def __init__(self, folder: Path) -> None:
        self.path = folder / "limits.toml"

    def exercise(self, content: bytes, rng: random.Random) -> str:
        self.path.write_bytes(content)
        try:
            limits = load_thresholds(self.path)
        except sp.InvalidParameter as error:
            if len(str(error)) > 2000:
                raise AssertionError("the message does not end") from error
            return "refused"
        repr(limits)
        limits.unknown(["kv.put", "consensus.round"])
        with contextlib.suppress(sp.InvalidParameter):
            limits.check(["kv.put", "consensus.round"])
        with contextlib.suppress(sp.InvalidParameter):
            sp.compare(_GOOD, _GOOD, limits.default or 0.05, thresholds=limits.benchmarks)
        return "loaded"


_GOOD = Run(seeds.document(4))


class Workers:
    """What a worker says, a message a line."""

    SHAPES = (
        ("planned", answers.Planned),
        ("ready", answers.Ready),
        ("samples", answers.Samples),
        ("verified", answers.Verified),
    )

    def __init__(self) -> None:
        self.seeds = [b"".join(json.dumps(word).encode() + b"\n" for word in seeds.conversation())]

    def mutate(self, content: bytes, rng: random.Random) -> bytes:
        lines = content.splitlines(keepends=True)
        at = rng.randrange(len(lines))
        lines[at] = mutators.mutated_json(lines[at], rng) + b"\n"
        return b"".join(lines)

    def exercise(self, content: bytes, rng: random.Random) -> str:
        outcome = "refused"
        with (
            contextlib.suppress(sp.StratoperfError),
            ScriptedWorker(content, timeout_s=5.0) as worker,
        ):
            for kind, shape in self.SHAPES:
                answer: Any = worker.answer(kind, shape)
                if isinstance(answer, answers.Ready):
                    slicing([answer, answer])
                if isinstance(answer, answers.Samples):
                    assert (answer.values >= 0).all()
            outcome = "answered"
        return outcome


class Arrays:
    """The ``.npz`` beside a run file, and recorded votes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fuzzed.npz"
        self.seeds = [seeds.arrays(folder), seeds.trace(folder, ".npz")]

    def exercise(self, content: bytes, rng: random.Random) -> str:
        self.path.write_bytes(content)
        with contextlib.suppress(sp.StratoperfError):
            VoteBatch.load(self.path)
        try:
            with open_archive(self.path, follow_links=False) as archive:
                for name in archive.names:
                    archive.read(name)
        except sp.SchemaError:
            return "refused"
        return "read"


class Foreign:
    """Files of other benchmark tools, and what lies beside them."""

    def __init__(self, folder: Path, runs: Runs) -> None:
        self.folder = folder / "machine"
        self.folder.mkdir(parents=True)
        self.runs = runs
        shutil.copytree(FOREIGN_FILES / "criterion" / "flat", folder / "criterion")
        self.sample = folder / "criterion" / "sleep" / "new" / "sample.json"
        self.samples = [self.sample.read_bytes(), b"[[1.0, 2.0], [5.0, 9.0]]"]
        shutil.copy(FOREIGN_FILES / "asv" / "benchmarks.json", folder)
        (self.folder / "results.json-bin").mkdir()
        (self.folder / "results.json-bin" / "0.bin").write_bytes(bytes(20))
        made = runpy.run_path(str(FOREIGN_FILES.parent / "made_files.py"))
        counts = {"Ir": made["difference"](100), "Dr": made["difference"](5, 6)}
        written = [made["nvbench_document"](), made["gungraun_document"](counts)]
        files = [
            path
            for path in sorted(FOREIGN_FILES.rglob("*.json*"))
            if "criterion" not in path.parts and path.name != "benchmarks.json"
        ]
        self.seeds = [
            *self.samples,
            *(json.dumps(document).encode() for document in written),
            *(path.read_bytes() for path in files if path.stat().st_size < 40_000),
        ]

    def mutate(self, content: bytes, rng: random.Random) -> bytes:
        packed = content.startswith(b"\x1f\x8b")
        return (mutators.mutated_bytes if packed else mutators.mutated_json)(content, rng)

    def exercise(self, content: bytes, rng: random.Random) -> str:
        path = self.folder / "results.json"
        if rng.random() < 0.2:
            self.sample.write_bytes(content)
            path = self.folder.parent / "criterion"
        else:
            path.write_bytes(content)
        try:
            run = sp.import_results(path)
        except sp.StratoperfError as error:
            if str(path) not in str(error):
                raise AssertionError(f"the file is not named: {error}") from error
            return "refused"
        self.runs.use(run, rng)
        for write in FORMATS.values():
            if _often(rng, 0.2):
                write(run)
        return "loaded"


class Traces:
    """Recorded votes as text."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fuzzed.csv"
        self.seeds = [seeds.trace(folder, ".csv")]

    def exercise(self, content: bytes, rng: random.Random) -> str:
        self.path.write_bytes(content)
        try:
            VoteBatch.load(self.path)
        except sp.StratoperfError:
            return "refused"
        return "read"


class Machines:
    """What the kernel says of a machine: the name of a file, a line feed, and its content."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "machine"
        self.contents: dict[str, str] = {}
        with pytest.MonkeyPatch.context() as patch:
            text = SystemFiles.text

            def recorded(files: SystemFiles, name: str) -> str | None:
                content = text(files, name)
                if content is not None and files.root == Path("/"):
                    self.contents[name] = content
                return content

            patch.setattr(SystemFiles, "text", recorded)
            self._ask(Path("/"))
        self.contents |= seeds.KERNEL_FILES
        for name, content in self.contents.items():
            self._write(name, content.encode())
        (self.root / "data").mkdir()
        self.seeds = [f"{name}\n{text}".encode() for name, text in self.contents.items()]

    def mutate(self, content: bytes, rng: random.Random) -> bytes:
        name, _, text = content.partition(b"\n")
        return name + b"\n" + mutators.mutated_kernel_text(text, rng)

    def exercise(self, content: bytes, rng: random.Random) -> str:
        name, _, text = content.partition(b"\n")
        known = self.contents.get(name.decode())
        if known is None:
            return "unknown file"
        try:
            self._write(name.decode(), text)
            self._ask(self.root)
        finally:
            self._write(name.decode(), known.encode())
        return "read"

    def _ask(self, root: Path) -> None:
        info = system(root)
        check_tree(msgspec.to_builtins(info))
        repr(info)
        info._repr_html_()
        files = SystemFiles(root)
        discover(files)
        counters.read(files)
        noise_checks(info)
        capability_checks(files, info)

    def _write(self, name: str, content: bytes) -> None:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class Settings:
    """Environment variables and options, a text each."""

    seeds = (b"nvme=/tmp,ssd=/var/tmp", b"1.5h", b"5%", b"votes=1,2", b"2026-11-03T09:37:00Z")

    def exercise(self, content: bytes, rng: random.Random) -> str:
        text = os.fsdecode(content.replace(b"\0", b""))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(DIRECTORIES_VARIABLE, text)
            repr(discover(SystemFiles("/")))
        for read in (options.parse_duration, moment_of):
            with contextlib.suppress(ValueError):
                read(os.fsdecode(content))
        with contextlib.suppress(click.BadParameter):
            options.parse_params((os.fsdecode(content),))
        with contextlib.suppress(click.BadParameter):
            options.percentage(1000)(_CONTEXT, _OPTION, os.fsdecode(content))
        return "read"


_CONTEXT = click.Context(click.Command("any"))
_OPTION = click.Option(["--threshold"])


def make_targets(folder: Path) -> dict[str, Target]:
    """Return the targets by name; their files lie in `folder`."""
    folder = folder / "work"
    folder.mkdir()
    runs = Runs(folder)
    journals = {}
    for part in ("header", "lines"):
        (folder / part).mkdir()
        journals[part] = Journals(folder / part, runs, part)
    foreign = Foreign(folder / "foreign", runs)
    thresholds, workers = Thresholds(folder), Workers()
    archives, traces, machines = Arrays(folder), Traces(folder), Machines(folder)
    return {
        "run": Target(runs.seeds, mutators.mutated_json, runs.exercise, 6),
        **{
            f"journal-{part}": Target(entry.seeds, entry.mutate, entry.exercise, 2)
            for part, entry in journals.items()
        },
        "thresholds": Target(list(thresholds.seeds), mutators.mutated_toml, thresholds.exercise, 3),
        "worker": Target(workers.seeds, workers.mutate, workers.exercise, 3),
        "npz": Target(archives.seeds, mutators.mutated_npz, archives.exercise, 3),
        "machine": Target(machines.seeds, machines.mutate, machines.exercise, 1),
        "setting": Target(list(Settings.seeds), mutators.mutated_bytes, Settings().exercise, 1),
        "foreign": Target(foreign.seeds, foreign.mutate, foreign.exercise, 3),
        "trace": Target(traces.seeds, mutators.mutated_bytes, traces.exercise, 1),
    }


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send what is printed nowhere."""
    before = sys.stdout, sys.stderr
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
