"""What packages contribute, and the user's own benchmarks."""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import importlib
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.failures import describe
from stratoperf.running.categories import DEFAULT_CATEGORY
from stratoperf.running.containment import Containment
from stratoperf.running.contributions import (
    SCRIPT,
    BenchmarkModule,
    Category,
    Claim,
    Contribution,
)
from stratoperf.running.process_state import IMPORTING

# What declares benchmarks needs NumPy, and help and the doctor look up no benchmark.
if TYPE_CHECKING:
    import importlib.metadata

    from stratoperf.running.declaration import Benchmark
    from stratoperf.running.targets import Target
    from stratoperf.running.values import Value

ENTRY_POINTS = "stratoperf.benchmarks"
"""Entry-point group whose modules contribute benchmarks and more when they are imported."""

DISTRIBUTION = "stratoperf"
"""Whose own entry points are imported first, so that a clash is blamed on the newcomer."""


class PluginWarning(UserWarning):
    """A part of another package does not work; the rest does."""


Kind = TypeVar("Kind", bound=Contribution)


class Registry:
    """Benchmarks by name, and what else packages contribute.

    Parameters
    ----------
    entry_points
        Entry-point group whose modules are imported before anything is looked up; ``None`` for
        none.
    """

    def __init__(self, entry_points: str | None = None) -> None:
        self._entry_points = entry_points
        self._waiting: list[importlib.metadata.EntryPoint] = []
        self._modules: list[BenchmarkModule] = []
        self._imports_benchmarks = False
        self._benchmarks: dict[str, Benchmark] = {}
        self._contributions: dict[tuple[type[Contribution], str], Contribution] = {}
        self._warnings: list[str] = []

    def load_nothing(self) -> None:
        """Import no packages: for a process that runs a single benchmark."""
        self._entry_points = None
        self._waiting = []
        self._modules = []

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each part of a package that does not work, as far as it was imported."""
        self._load_packages()
        return (*self._warnings, *(() if self._modules else self._wrong_claims()))

    def add(self, benchmark: Benchmark) -> None:
        """Register a benchmark.

        Raises
        ------
        InvalidParameter
            When another one has its name.
        """
        self._load_own(with_benchmarks=True)
        if benchmark.name == DEFAULT_CATEGORY or (Category, benchmark.name) in self._contributions:
            raise InvalidParameter(
                f"name: {benchmark.name!r} is a category; choose another name for the benchmark"
            )
        other = self._benchmarks.get(benchmark.name)
        if other is not None and not _is_same_notebook_cell(other, benchmark):
            raise InvalidParameter(
                f"name: there is a benchmark {benchmark.name!r} already, declared in "
                f"{other.function.__module__}; choose another name"
            )
        self._benchmarks[benchmark.name] = benchmark

    def contribute(self, added: Contribution) -> None:
        """Register what a package adds besides benchmarks.

        Raises
        ------
        InvalidParameter
            When something of this kind, or for a category a benchmark, has the name, or when it
            comes too late to be seen.
        """
        self._load_own(with_benchmarks=isinstance(added, Claim))
        if self._imports_benchmarks and not isinstance(added, Claim):
            raise InvalidParameter(
                f"{added.kind}: {added.name!r} of {added.package} is added by a module of "
                "benchmarks, which help and doctor do not import; add it in the module that the "
                "entry point names"
            )
        other = self._contributions.get((type(added), added.name))
        if other is not None and not other.package == added.package == SCRIPT:
            raise InvalidParameter(
                f"{added.kind}: {added.name!r} of {added.package} is one of {other.package} "
                "already; choose another name"
            )
        if isinstance(added, Category) and added.name in (DEFAULT_CATEGORY, *self._benchmarks):
            what = "category" if added.name == DEFAULT_CATEGORY else "benchmark"
            raise InvalidParameter(
                f"category: {added.name!r} of {added.package} is the name of a {what} already; "
                "choose another name"
            )
        self._contributions[type(added), added.name] = added
        if isinstance(added, BenchmarkModule):
            self._modules.append(added)

    def contributed(self, kind: type[Kind]) -> list[Kind]:
        """Return all that packages have contributed of a kind, in their order.

        Modules of benchmarks are imported for claims alone, which stand beside benchmarks.
        """
        if kind is Claim:
            self._load_all()
        else:
            self._load_packages()
        return [added for added in self._contributions.values() if isinstance(added, kind)]

    def _wrong_claims(self) -> list[str]:
        """Return a sentence for each claim whose benchmark is unknown."""
        return [
            f"the claim {added.name!r} of the package {added.package} names the benchmark "
            f"{added.benchmark!r}, which is unknown; "
            f"{did_you_mean(added.benchmark, self._benchmarks)}"
            for added in self._contributions.values()
            if isinstance(added, Claim)
            and added.benchmark is not None
            and added.benchmark not in self._benchmarks
        ]

    def remove(self, name: str) -> None:
        """Forget a benchmark.

        Raises
        ------
        InvalidParameter
            When the name is unknown.
        """
        self.find(name)
        del self._benchmarks[name]

    def all(self) -> list[Benchmark]:
        """Return every benchmark, sorted by category and name."""
        self._load_all()
        return sorted(
            self._benchmarks.values(), key=lambda benchmark: (benchmark.category, benchmark.name)
        )

    def find(self, name: str) -> Benchmark:
        """Return the benchmark of that name.

        Raises
        ------
        InvalidParameter
            When the name is unknown; suggests the nearest.
        """
        self._load_all()
        if name not in self._benchmarks:
            raise InvalidParameter(
                f"benchmark: {name!r} is unknown; {did_you_mean(name, self._benchmarks)}"
            )
        return self._benchmarks[name]

    def select(
        self, selection: str | Benchmark | Iterable[str | Benchmark] | None
    ) -> list[Benchmark]:
        """Return the selected benchmarks, each once, in the order of the selection.

        Parameters
        ----------
        selection
            Names, glob patterns such as ``"consensus.*"``, categories such as ``"single-node"``,
            or benchmarks themselves; ``None`` for all.

        Raises
        ------
        InvalidParameter
            For a word that selects nothing; suggests the nearest name.
        """
        from stratoperf.running.declaration import Benchmark

        if selection is None:
            return self.all()
        words = [selection] if isinstance(selection, str | Benchmark) else list(selection)
        if not words:
            return self.all()
        selected: dict[str, Benchmark] = {}
        for word in words:
            matching = [word] if isinstance(word, Benchmark) else self._matching(word)
            selected.update({benchmark.name: benchmark for benchmark in matching})
        return list(selected.values())

    def _matching(self, word: str) -> list[Benchmark]:
        benchmarks = self.all()
        if any(letter in word for letter in "*?["):
            matching = [
                benchmark for benchmark in benchmarks if fnmatch.fnmatchcase(benchmark.name, word)
            ]
        else:
            matching = [
                benchmark
                for benchmark in benchmarks
                if word in (benchmark.name, benchmark.category)
            ]
        if not matching:
            known = {
                name for benchmark in benchmarks for name in (benchmark.name, benchmark.category)
            }
            hint = _other_meaning(word) or did_you_mean(word, known)
            raise InvalidParameter(f"benchmark: {word!r} selects nothing; {hint}")
        return matching

    def _load_all(self) -> None:
        self._load_packages()
        self._import_benchmarks([module.package for module in self._modules])

    def _load_packages(self) -> None:
        """Import what entry points name, and none of the modules of benchmarks."""
        self._load_own()
        while self._waiting:
            self._load(self._waiting.pop(0))

    def _load_own(self, with_benchmarks: bool = False) -> None:
        """Import what belongs to this distribution; that of others waits."""
        self._load_own_points()
        if with_benchmarks:
            self._import_benchmarks([DISTRIBUTION])

    def _import_benchmarks(self, packages: Collection[str]) -> None:
        """Import the modules of benchmarks of these packages."""
        chosen = [module for module in self._modules if module.package in packages]
        # Removed first: the modules register themselves through this object.
        self._modules = [module for module in self._modules if module not in chosen]
        for module in chosen:
            self._imports_benchmarks = True
            try:
                self._import(
                    f"the benchmarks {module.name!r} of the package {module.package}",
                    functools.partial(importlib.import_module, module.name),
                )
            finally:
                self._imports_benchmarks = False

    def _load_own_points(self) -> None:
        # Cleared first: the modules register themselves through this object.
        group, self._entry_points = self._entry_points, None
        if group is None:
            return
        import importlib.metadata

        # Whatever goes wrong in other packages, the benchmarks of the rest must run.
        with self._contained("the entry points of packages could not be read"):
            self._waiting = list(importlib.metadata.entry_points(group=group))
        own = [point for point in self._waiting if _is_own(point)]
        self._waiting = [point for point in self._waiting if not _is_own(point)]
        for point in own:
            self._load(point)

    def _load(self, entry_point: importlib.metadata.EntryPoint) -> None:
        self._import(f"the benchmarks {entry_point.name!r} ({entry_point.value})", entry_point.load)

    def _import(self, named: str, load: Callable[[], object]) -> None:
        with self._contained(f"{named} could not be imported") as importing:
            load()
        for names, what in (
            (importing.changes, "was put back"),
            (importing.losses, "cannot be put back"),
        ):
            if names:
                changed = ", ".join(names)
                self._warn(f"{named} changed, when they were imported, what {what}: {changed}")

    @contextlib.contextmanager
    def _contained(self, problem: str) -> Iterator[Containment]:
        """Turn whatever a block raises into a warning, but for an interrupt of the user."""
        with Containment(IMPORTING) as around:
            yield around
        if around.interrupts:
            raise around.interrupts[0]
        if around.error is not None:
            self._warn(f"{problem}: {describe(around.error)}")

    def _warn(self, sentence: str) -> None:
        self._warnings.append(sentence)
        warnings.warn(sentence, PluginWarning, stacklevel=2)


def _is_own(point: importlib.metadata.EntryPoint) -> bool:
    return getattr(point.dist, "name", None) == DISTRIBUTION


def _other_meaning(word: str) -> str | None:
    """Return what a word that cannot be a name probably means, and what to do about it."""
    if word.startswith("-"):
        return "it looks like an option; write it before the word --"
    if Path(word).exists():
        return (
            "it is a file or a folder; give names of stratoperf list, or compare run files with "
            "stratoperf compare"
        )
    if "/" in word or " " in word:
        return (
            "it looks like a file or a command; give names of stratoperf list, or compare commands "
            "with stratoperf compare --live"
        )
    return None


def _is_same_notebook_cell(first: Benchmark, other: Benchmark) -> bool:
    """Whether a cell (or a line at the prompt) was run again, which redefines its benchmark."""
    places = [(each.function.__module__, each.function.__qualname__) for each in (first, other)]
    return places[0] == places[1] and places[0][0] == "__main__"


REGISTRY = Registry(ENTRY_POINTS)
"""What `stratoperf.run` and the command line select from."""


def benchmark(
    name: str,
    *,
    params: Mapping[str, Iterable[Value]] | None = None,
    backend_params: Mapping[str, Mapping[str, Iterable[Value]]] | None = None,
    version: int = 1,
    backends: Iterable[str] = ("cpu",),
    category: str = DEFAULT_CATEGORY,
    target: Target | Iterable[Target] | None = None,
    items: float | str | None = None,
    item_unit: str | None = None,
    disk_bytes: Callable[..., float] | float = 0,
    setup_s: Callable[..., float] | float = 0,
    sustained_s: float = 0,
    check: Callable[..., object] | None = None,
) -> Callable[[Callable[..., Any]], Benchmark]:
    """Declare and register a benchmark.

    The decorated function receives one value of each parameter. If it has arguments with the names
    ``backend`` and ``duration_s``, it also receives the backend and the maximum sampling time. It
    returns what `stratoperf.measure` accepts: an operation, a capsule or a callable without
    arguments. A generator does its setup, yields that once, and tears down after the yield, however
    the measurement ends. `stratoperf.artifact` builds slow inputs once for all processes.

    An error in its code fails its case alone. A benchmark that no fresh process can import runs in
    this process; what it changes here (working directory, standard streams, signal handlers,
    environment, limits and the like) is restored after each case, and the result's notes name it.

    Parameters
    ----------
    name
        Dotted, such as ``"kv.put"``.
    params
        Values by parameter; every combination is a case.
    backend_params
        Additional parameters of single backends, by backend. The function needs defaults for
        these arguments, for the other backends.
    version
        Version of the numbers. Raise it when their meaning changes, so that old and new numbers
        are not compared.
    backends
        The backends it has. ``"reference"`` is measured only on request.
    category
        ``"single-node"``, one that a package contributes, or a word of your own; see
        `stratoperf.category`.
    target
        One or several published claims, as `Target`.
    items
        Work items in one iteration, or the name of the parameter that holds their number; by
        default the operation decides. Throughput counts them.
    item_unit
        Their plural name, such as ``"keys"``.
    disk_bytes
        Maximum number of bytes that measuring one case writes to disk, or a function that
        computes it from the parameters (and from ``duration_s``, if it has this argument).
    setup_s
        Time of setup and verification in each process, in seconds, for the plan; or a function as
        with `disk_bytes`. Leave out what `stratoperf.artifact` builds once.
    sustained_s
        Minimum sampling time of a case with any preset, in seconds, for work that must be
        sustained; the case does not stop early. A duration that the user gives overrides it.
    check
        A function that takes some of the parameters by name. It raises `InvalidParameter` for
        values that no machine can measure; nothing runs then.

    Returns
    -------
    callable
        Decorator that turns the function into a `Benchmark`, which is still callable.

    Raises
    ------
    InvalidParameter
        When the name is taken, or the declaration does not fit the function.

    Examples
    --------
    >>> import stratoperf as sp
    >>> @sp.benchmark("example.sum", params={"size": [64, 4096]}, items="size", item_unit="numbers")
    ... def summing(size):
    ...     numbers = list(range(size))
    ...     return lambda: sum(numbers)
    >>> run = sp.run("example.sum", preset="ci")  # doctest: +SKIP
    """
    from stratoperf.running.checked_declaration import declare

    def decorate(function: Callable[..., Any]) -> Benchmark:
        declared = declare(
            function,
            name,
            params=params or {},
            backend_params=backend_params or {},
            version=version,
            backends=backends,
            category=category,
            target=target,
            items=items,
            item_unit=item_unit,
            disk_bytes=disk_bytes,
            setup_s=setup_s,
            sustained_s=sustained_s,
            check=check,
        )
        REGISTRY.add(declared)
        return declared

    return decorate
