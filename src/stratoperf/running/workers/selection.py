"""The modules that a worker imports, and the benchmarks that they declare."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import pickle
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

from stratoperf.errors import BackendUnavailable, InvalidParameter, StratoperfError
from stratoperf.running.origin import MAIN, Origin
from stratoperf.running.workers.protocol import SAMPLED_S

if TYPE_CHECKING:
    from stratoperf.running.cases import Case

_MAIN_HERE = "__mp_main__"


def import_modules(modules: Sequence[str]) -> None:
    """Import dotted names and ``.py`` files, for the benchmarks that they declare.

    Raises
    ------
    InvalidParameter
        For a file that is not there.
    StratoperfError
        When an import measures something.
    Exception
        Whatever importing raises.
    """
    with _importing():
        for module in modules:
            if module.endswith(".py"):
                _import_file(Path(module))
            else:
                importlib.import_module(module)


class _Import:
    """The import of a benchmark's module in a worker, while it goes on."""

    def __init__(self) -> None:
        self.is_running = False
        self.refused: StratoperfError | None = None


_IMPORT = _Import()


def refuse_in_import(what: str) -> None:
    """Refuse to measure in a worker that only imports the modules with benchmarks.

    A script that measures as soon as it is imported would measure again in every worker, and
    these would start workers of their own.

    Parameters
    ----------
    what
        The function that was called.

    Raises
    ------
    StratoperfError
        In such a worker, while it imports.
    """
    if _IMPORT.is_running:
        _IMPORT.refused = StratoperfError(
            f"importing it calls {what}; put that under: if __name__ == '__main__':"
        )
        raise _IMPORT.refused


def load_benchmark(origin: Origin, name: str, version: int, place: str) -> None:
    """Import the module that declares a benchmark, and make sure that it is the one meant.

    Parameters
    ----------
    origin
        The module.
    name, version, place
        Name, version and place of the benchmark.

    Raises
    ------
    StratoperfError
        When the import does not declare it, declares another one, or measures something.
    Exception
        Whatever importing raises.
    """
    from stratoperf.running.origin import place_of
    from stratoperf.running.registry import REGISTRY

    if Path(origin.file).stat().st_mtime_ns != origin.stamp:
        raise StratoperfError(f"{origin.file} was changed meanwhile; start again")
    REGISTRY.load_nothing()
    with _importing():
        _import_origin(origin)
    try:
        benchmark = REGISTRY.find(name)
    except InvalidParameter:
        raise StratoperfError(
            f"importing it does not declare {name!r}; declare it at the top level, outside of any "
            "condition"
        ) from None
    if benchmark.version != version or place_of(benchmark.function) != place:
        raise StratoperfError(f"importing it declares another {name!r}; give each its own name")


def load_pickled(main: Origin | None, name: str, pickled: bytes) -> None:
    """Declare a benchmark of what another process pickled.

    Parameters
    ----------
    main
        The script or module that process was started with, if what it pickled is of there. As in
        a process that `multiprocessing` spawns, it is imported under another name, and found
        under both.
    name
        Name of the benchmark.
    pickled
        What to measure; see `stratoperf.running.pickled_work.benchmark_of`.

    Raises
    ------
    StratoperfError
        When an import measures something.
    Exception
        Whatever importing and unpickling raise.
    """
    from stratoperf.running.pickled_work import benchmark_of
    from stratoperf.running.registry import REGISTRY

    with _importing():
        if main is not None:
            _import_origin(main)
            sys.modules[MAIN] = sys.modules[_MAIN_HERE if main.module == MAIN else main.module]
        work = pickle.loads(pickled)
    REGISTRY.add(benchmark_of(work, name))


@contextlib.contextmanager
def _importing() -> Iterator[None]:
    """Refuse measurements meanwhile."""
    _IMPORT.is_running = True
    try:
        yield
    finally:
        _IMPORT.is_running = False
        if _IMPORT.refused is not None:
            # Also where the module caught it.
            raise _IMPORT.refused


def _import_origin(origin: Origin) -> None:
    if origin.module == MAIN:
        # Under another name, so that the script knows that it was not started: that which
        # multiprocessing gives it in the processes that the benchmark may start.
        module = _load(_MAIN_HERE, Path(origin.file))
        # An import of multiprocessing has given the second name to what this process began with.
        sys.modules[MAIN] = sys.modules[_MAIN_HERE] = module
        module.__spec__ = None
        return
    try:
        specification = importlib.util.find_spec(origin.module)
    except (ImportError, ValueError):
        specification = None
    known = None if specification is None else specification.origin
    if known is not None and os.path.realpath(known) == origin.file:
        importlib.import_module(origin.module)
    else:
        # Somebody loaded it from its file.
        _load(origin.module, Path(origin.file))


def known_cases(
    modules: Sequence[str],
    select: Sequence[str] | None,
    backend: str,
    params: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what a selection means here, in plain JSON types.

    Returns
    -------
    dict
        ``cases``; ``unknown``, which has the reason for every word that selects nothing, by word;
        and ``warnings``.
    """
    # Not needed by the workers that measure, which are started in every pair.
    from stratoperf.results.plans import Request
    from stratoperf.running.planner import make_plan
    from stratoperf.running.registry import REGISTRY
    from stratoperf.running.values import values_of

    import_modules(modules)
    words: list[str] = []
    unknown: dict[str, str] = {}
    cases: tuple[Case, ...] = ()
    notes: tuple[str, ...] = ()
    with warnings.catch_warnings():
        # The plan tells them too.
        warnings.simplefilter("ignore")
        for word in select or ():
            try:
                REGISTRY.select(word)
                words.append(word)
            except InvalidParameter as error:
                unknown[word] = str(error)
        if words or not select:
            # In one plan: a parameter need not be one of every benchmark.
            request = Request(
                select=tuple(words) or None,
                preset="ci",
                backend=backend,
                params={name: values_of(name, values) for name, values in params.items()},
            )
            try:
                plan = make_plan(request, REGISTRY, saves=False)
                cases, notes = plan.cases, plan.warnings
            except (BackendUnavailable, InvalidParameter) as error:
                unknown |= dict.fromkeys(words or ["all"], str(error))
    return {
        "cases": [_described(case) for case in cases],
        "unknown": unknown,
        "warnings": [*notes, *_disk_notes(cases)],
    }


def _disk_notes(cases: Sequence[Case]) -> list[str]:
    """Return a sentence on each case that writes to a disk."""
    written = {
        case.key: case.benchmark.disk_bytes_of(case.params, SAMPLED_S)
        for case in cases
        if case.is_measured
    }
    return [
        f"{key}: each process of the comparison writes up to {count / 1e9:.3g} GB to a disk"
        for key, count in written.items()
        if count > 0
    ]


def _described(case: Case) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(case.identity),
        "skip_reason": case.skip_reason or case.declared.fault,
    }


def _import_file(path: Path) -> None:
    if not path.is_file():
        raise InvalidParameter(f"modules: there is no file {str(path)!r}")
    name = path.stem
    known = sys.modules.get(name)
    if known is not None:
        origin = getattr(known, "__file__", None)
        if origin is not None and Path(origin).resolve() == path.resolve():
            return
        raise InvalidParameter(
            f"modules: {str(path)!r} has the name of a module that is in use already "
            f"({origin or 'built in'}); rename the file"
        )
    # What lies beside it can be imported, but does not shadow what the environment has installed:
    # in a checkout that would be the same code on both sides.
    sys.path.append(str(path.parent.resolve()))
    _load(name, path)


def _load(name: str, path: Path) -> ModuleType:
    """Import a file under a name."""
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise InvalidParameter(f"modules: {str(path)!r} is not a Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
