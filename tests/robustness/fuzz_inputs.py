"""Feed damaged inputs to everything that reads from outside.

::

    python tests/robustness/fuzz_inputs.py --count 20000 --seed 1
    python tests/robustness/fuzz_inputs.py --target npz --forever
    python tests/robustness/fuzz_inputs.py --repeat run-1-4711.bin

Nothing but errors of stratoperf may come out of it, within 5 s of processor time, in 1 GB of
memory, and without opening any file outside the folder of the input. Exits with 1 when an input
breaks that: it is then written to a file, and the command that repeats it is printed.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import resource
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

# Threads of a linear algebra library take address space that counts against the limit.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ.pop("GITHUB_STEP_SUMMARY", None)

MEMORY_BYTES = 10**9
HANG_S = 5.0
TARGETS = (
    "run",
    "journal",
    "thresholds",
    "worker",
    "npz",
    "foreign",
    "trace",
    "machine",
    "setting",
)
CORPUS = Path(__file__).with_name("corpus")


class Hang(BaseException):
    """An input took too long."""


class Watch:
    """Notices files that are opened where they must not be."""

    def __init__(self, allowed: list[str]) -> None:
        self._allowed = tuple(allowed)
        self.opened: list[str] = []
        self.is_on = False
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on or event != "open" or not isinstance(arguments[0], str | bytes):
            return
        # The folder counts, not where a link in it leads: such links are not to be followed.
        path = os.path.normpath(Path.cwd() / os.fsdecode(arguments[0]))
        if path == tempfile.gettempdir():
            # Of a file without a name.
            return
        if not path.startswith(self._allowed) or path.endswith(("/pipe", "/link.npz")):
            self.opened.append(path)


def main() -> int:
    """Run the fuzzer in a process of its own, which may crash."""
    options = parsed(sys.argv[1:])
    if options.child is not None:
        return Fuzzer(options, Path(options.child)).run()
    # In memory, where there is such a place: saving waits for the disk.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="stratoperf-fuzz-", dir=memory) as folder:
        command = [sys.executable, __file__, *sys.argv[1:], "--child", folder]
        # Neither the process nor the folder outlives this one.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, frame: sys.exit(128 + number))
        with subprocess.Popen(command) as child:
            try:
                code = child.wait()
            except KeyboardInterrupt:
                return 130
            finally:
                child.kill()
        progress = Path(folder) / "progress"
        if code < 0 and progress.exists():
            print(f"killed by signal {-code} at this input; to repeat it: {progress.read_text()}")
    return 1 if code else 0


def parsed(words: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=20_000, help="inputs over all targets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=TARGETS, help="only this one")
    parser.add_argument("--only", type=int, help="only the input of this number")
    parser.add_argument("--forever", action="store_true", help="go on with seed after seed")
    parser.add_argument(
        "--repeat", type=Path, help="feed this file to the target it is named after"
    )
    parser.add_argument(
        "--thorough", action="store_true", help="do everything with each input, not a share"
    )
    parser.add_argument("--failures", type=Path, default=Path("fuzz-failures"))
    parser.add_argument("--most-failures", type=int, default=10, help="stop after so many")
    parser.add_argument("--self-test", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args(words)


class Fuzzer:
    """Feeds inputs and keeps the score."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        from fuzz_targets import make_targets

        self.options = options
        self.progress = folder / "progress"
        self.targets = make_targets(folder)
        if options.self_test:
            self.targets = {"run": self.targets["run"]._replace(seeds=[], exercise=misbehave)}
        installed = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")]
        sources = [*installed, *(entry for entry in sys.path if entry), os.devnull]
        self.watch = Watch([f"{folder}/work", *map(os.path.realpath, sources), *sources])
        self.outcomes: dict[str, collections.Counter[str]] = {
            name: collections.Counter() for name in self.targets
        }
        self.slowest: dict[str, tuple[float, str]] = dict.fromkeys(self.targets, (0.0, "none"))
        self.failures: collections.Counter[str] = collections.Counter()

    def run(self) -> int:
        """Feed all inputs, print the score, and return the exit code."""
        signal.signal(signal.SIGPROF, _hang)
        signal.signal(signal.SIGALRM, _hang)
        self._warm_up()
        limit_memory()
        begin = time.monotonic()
        if self.options.repeat is not None:
            self._repeat(self.options.repeat)
        else:
            seed = self.options.seed
            while self._one_seed(seed) and self.options.forever:
                seed += 1
                print(f"seed {seed}: {self._total()} inputs so far", flush=True)
        self._report(time.monotonic() - begin)
        return 1 if self.failures else 0

    def _warm_up(self) -> None:
        """Import whatever is imported late, so that what inputs open is their own doing."""
        from fuzz_targets import Always

        for name, target in self.targets.items():
            for content in target.seeds[:3]:
                for _ in range(2):
                    self._feed(name, content, Always(0), "a seed", counts=False)

    def _one_seed(self, seed: int) -> bool:
        shares = [name for name, target in self.targets.items() for _ in range(target.share)]
        chosen = [name for name in shares if name.startswith(self.options.target or "")]
        numbers = range(self.options.count) if self.options.only is None else [self.options.only]
        for number in numbers:
            name = chosen[number % len(chosen)]
            only = f" --target {self.options.target}" if self.options.target else ""
            again = f"python {__file__} --seed {seed} --only {number}{only}"
            self.progress.write_text(again)
            target = self.targets[name]
            rng = random.Random(f"{seed} {number} {name}")
            content = target.mutate(rng.choice(target.seeds), rng)
            before = len(self.failures)
            if not self._feed(name, content, rng, again) and len(self.failures) > before:
                self._keep(name, f"{name}-{seed}-{number}.bin", content)
            if len(self.failures) >= self.options.most_failures:
                return False
        return True

    def _feed(
        self, name: str, content: bytes, rng: random.Random, again: str, *, counts: bool = True
    ) -> bool:
        """Feed one input; return whether all went well."""
        from fuzz_targets import Always, quiet

        if self.options.thorough:
            rng = Always(rng.random())
        problem: str | None = None
        outcome = "failed"
        begin = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, HANG_S)
        signal.setitimer(signal.ITIMER_REAL, 20 * HANG_S)
        self.watch.opened.clear()
        try:
            with quiet():
                # A setting makes the library look at this machine.
                self.watch.is_on = counts and name != "setting"
                outcome = self.targets[name].exercise(content, rng)
        except (Exception, Hang):
            problem = traceback.format_exc()
        finally:
            self.watch.is_on = False
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        took = time.process_time() - begin
        if problem is None and self.watch.opened:
            problem = f"opened {', '.join(self.watch.opened)}\n"
        if problem is None and took > HANG_S:
            problem = f"took {took:.1f} s\n"
        if counts:
            self.outcomes[name][outcome] += 1
            self.slowest[name] = max(self.slowest[name], (took, again))
        if problem is not None:
            self._complain(name, problem, again)
        return problem is None

    def _complain(self, name: str, problem: str, again: str) -> None:
        """Print a problem; of those that arise in one place only the first."""
        place = [line for line in problem.splitlines() if line.startswith("  File")][-1:]
        kind = f"{name}: {(place or [problem])[0]}"
        self.failures[kind] += 1
        if self.failures[kind] == 1:
            print(f"\n{name}: {problem}to repeat it: {again}", flush=True)

    def _keep(self, name: str, file: str, content: bytes) -> None:
        self.options.failures.mkdir(parents=True, exist_ok=True)
        path = self.options.failures / file
        path.write_bytes(content)
        print(f"or: python {__file__} --repeat {path}", flush=True)

    def _repeat(self, path: Path) -> None:
        from fuzz_targets import Always

        paths = sorted(path.iterdir()) if path.is_dir() else [path]
        for entry in paths:
            (name,) = [name for name in self.targets if entry.name.startswith(name)]
            for number in range(2):
                self._feed(name, entry.read_bytes(), Always(number), f"--repeat {entry}")

    def _total(self) -> int:
        return sum(counter.total() for counter in self.outcomes.values())

    def _report(self, seconds: float) -> None:
        for name, counter in self.outcomes.items():
            if counter:
                tally = ", ".join(f"{count} {what}" for what, count in counter.most_common())
                took, again = self.slowest[name]
                print(f"{name}: {counter.total()} inputs: {tally}; slowest {took:.2f} s: {again}")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(
            f"{self._total()} inputs in {seconds:.0f} s, peak {peak} MiB, "
            f"{self.failures.total()} failures"
        )


def misbehave(content: bytes, rng: random.Random) -> str:
    """Do what an input must not do, so that a test can see it noticed."""
    match content:
        case b"raise":
            return str(1 / 0)
        case b"open":
            return Path("/etc/passwd").read_text()[:0]
        case b"eat":
            return str(len(bytearray(2 * MEMORY_BYTES)))
        case _:
            while True:
                pass


def limit_memory() -> None:
    """Let this process have no more than `MEMORY_BYTES` beyond what it has mapped."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resident = int(Path("/proc/self/statm").read_text().split()[1])
    size = resource.getpagesize()
    limit = (pages - resident) * size + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _hang(number: int, frame: FrameType | None) -> None:
    raise Hang(f"no end after {HANG_S:g} s")


if __name__ == "__main__":
    warnings.simplefilter("error")
    sys.exit(main())
