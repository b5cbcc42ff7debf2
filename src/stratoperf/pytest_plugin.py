"""The fixture `stratoperf`: measure a callable in a test, and keep the result in a run file.

Everything of stratoperf is imported where a test asks for the fixture: other tests pay nothing.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import pytest

if TYPE_CHECKING:
    from stratoperf.operation import Operation
    from stratoperf.results import Result

MARK = "stratoperf"

MAX_TIME_S = 1.0
LONGEST_S = 3_600.0
WARMUP_S = 0.1
MIN_ROUNDS = 100
"""Samples of a test at least, unless its time ends before."""

PRECISION = 0.02

OPTIONS = {"max_time", "min_rounds", "warmup"}
"""Of the marker."""

P = ParamSpec("P")
R = TypeVar("R")


class Fixture:
    """What the fixture `stratoperf` is: call it with the function to measure and its arguments.

    Attributes
    ----------
    extra_info
        Facts that the result keeps as its details, JSON values by name.
    result
        The `Result`, once measured; ``None`` before, and where measuring is switched off.
    """

    def __init__(self, session: Session, name: str, options: Mapping[str, Any]) -> None:
        self._session = session
        self._name = name
        self._options = options
        self._is_used = False
        self.extra_info: dict[str, Any] = {}
        self.result: Result | None = None

    def __call__(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Any:
        """Measure calls of a function, and return what the first one returned.

        Parameters
        ----------
        function
            What is measured. A coroutine function is awaited, and gives nothing back.
        args, kwargs
            Of each call.

        Raises
        ------
        InvalidParameter
            For what cannot be measured, and when a test measures twice.
        Exception
            Any error of the function.
        """
        from stratoperf.awaited import Awaited, is_coroutine_function

        work: Callable[[], Any] = functools.partial(function, *args, **kwargs)
        first = Awaited(work) if is_coroutine_function(work) else work
        returned = first()
        if self._session.measures:
            options = self._options
            self._measure(
                work,
                function,
                warmup_s=options.get("warmup", WARMUP_S),
                min_iterations=options.get("min_rounds", MIN_ROUNDS),
                max_duration_s=options.get("max_time", self._session.max_time_s),
            )
        return returned

    def pedantic(
        self,
        target: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        rounds: int = 1,
        iterations: int = 1,
        warmup_rounds: int = 0,
    ) -> Any:
        """Measure a fixed number of rounds, and return what a call before them returned.

        Parameters
        ----------
        target, args, kwargs
            The function and the arguments of each call.
        rounds
            Number of samples.
        iterations
            Calls in each sample.
        warmup_rounds
            Calls before the first sample.

        Raises
        ------
        InvalidParameter
            As the call of the fixture, and for numbers that are not positive.
        """
        from stratoperf import arguments

        rounds = arguments.count("rounds", rounds)
        iterations = arguments.count("iterations", iterations)
        returned = None
        # The sampler itself warms up with a call.
        for _ in range(arguments.whole_number("warmup_rounds", warmup_rounds, 0, 10**9) + 1):
            returned = target(*args, **(kwargs or {}))
        if self._session.measures:
            self._measure(
                functools.partial(target, *args, **(kwargs or {})),
                target,
                warmup_s=0.0,
                min_iterations=rounds,
                max_duration_s=LONGEST_S,
                batch=iterations,
                max_iterations=(rounds + 1) * iterations,
            )
        return returned

    def _measure(
        self,
        work: Callable[[], Any],
        function: Callable[..., Any],
        *,
        max_iterations: int | None = None,
        batch: int | None = None,
        **sampling: Any,
    ) -> None:
        from stratoperf.errors import InvalidParameter
        from stratoperf.operation import Operation
        from stratoperf.running.measure_operation import SPREAD_S
        from stratoperf.running.presets import Sampling
        from stratoperf.sampling import warn_of_tracers

        if self._is_used:
            raise InvalidParameter(
                f"stratoperf: the test {self._name} measures twice; measure once in each test"
            )
        self._is_used = True
        warn_of_tracers(work)
        operation = Operation(
            work,
            name=getattr(function, "__qualname__", None),
            max_iterations=max_iterations,
            details=lambda: self.extra_info,
        )
        chosen = Sampling(
            sampling["warmup_s"],
            sampling["min_iterations"],
            sampling["max_duration_s"],
            0.0 if max_iterations else PRECISION,
            0.5,
            batch,
            min(SPREAD_S, sampling["max_duration_s"]),
        )
        self.result = self._session.measure(self._name, operation, chosen)


class Session:
    """What the tests of one process measure.

    Attributes
    ----------
    trees
        Results as a run file holds them.
    max_time_s
        Sampling time of a test at most, in seconds.
    measures
        Whether tests measure at all.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.trees: list[dict[str, Any]] = []
        self.systems: dict[str, Any] = {}
        self.max_time_s = float(config.getoption("stratoperf_max_time"))
        self.measures = not config.getoption("stratoperf_disable")
        self._process = getattr(config, "workerinput", {}).get("workerid", "main")

    def measure(self, name: str, operation: Operation, sampling: Any) -> Result:
        """Measure in this process, and keep the result."""
        import msgspec

        import stratoperf
        from stratoperf.running.attempt import attempt
        from stratoperf.running.cases import known_case
        from stratoperf.running.outcome import stored_form
        from stratoperf.running.pickled_work import benchmark_of

        described = msgspec.to_builtins(stratoperf.system())
        system = described.pop("id")
        self.systems[system] = described
        case = known_case(benchmark_of(operation, name), "cpu", {}, sampling, False)
        taken = attempt(case, system=system, process=self._process, is_shared=False)
        if taken.interrupt is not None:
            raise taken.interrupt
        tree, result = stored_form(taken.tree, None)
        self.trees.append(tree)
        if result.status != "ok":
            pytest.fail(f"stratoperf: {result.reason}", pytrace=False)
        return result


_SESSION = pytest.StashKey[Session]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the fixture."""
    group = parser.getgroup("stratoperf", "measuring with stratoperf")
    group.addoption(
        "--stratoperf-output",
        metavar="PATH",
        help="write a run file of what the tests measured, for stratoperf show, compare and check",
    )
    group.addoption(
        "--stratoperf-max-time",
        type=float,
        default=MAX_TIME_S,
        metavar="SECONDS",
        help="sampling time of a test at most (default %(default)s)",
    )
    group.addoption(
        "--stratoperf-disable",
        action="store_true",
        help="call what tests measure once, and measure nothing",
    )
    group.addoption("--stratoperf-only", action="store_true", help="run only tests that measure")
    group.addoption("--stratoperf-skip", action="store_true", help="skip tests that measure")


def pytest_configure(config: pytest.Config) -> None:
    """Begin a session, and declare the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(max_time, min_rounds, warmup): seconds, samples and seconds of warm-up of what "
        "the fixture stratoperf measures",
    )
    output = config.getoption("stratoperf_output")
    # Said now, not when all has been measured.
    path = Path(output or "run.json").absolute()
    if path.is_dir() or not path.parent.is_dir():
        raise pytest.UsageError(
            f"--stratoperf-output: {output!r} is a directory, or in none; name a file such as "
            "run.json"
        )
    if not 0 < config.getoption("stratoperf_max_time") <= LONGEST_S:
        raise pytest.UsageError(
            "--stratoperf-max-time: expected seconds above 0 and up to "
            f"{LONGEST_S:g}, got {config.getoption('stratoperf_max_time')}"
        )
    config.stash[_SESSION] = Session(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep or skip what measures, as the options ask."""
    if config.getoption("stratoperf_only"):
        others = [item for item in items if not _is_measured(item)]
        items[:] = [item for item in items if _is_measured(item)]
        config.hook.pytest_deselected(items=others)
    if config.getoption("stratoperf_skip"):
        for item in filter(_is_measured, items):
            item.add_marker(pytest.mark.skip(reason="--stratoperf-skip"))


def _is_measured(item: pytest.Item) -> bool:
    return "stratoperf" in getattr(item, "fixturenames", ())


@pytest.fixture
def stratoperf(request: pytest.FixtureRequest) -> Fixture:
    """Measure a callable: ``stratoperf(function, *args, **kwargs)`` returns what a call returns."""
    mark = request.node.get_closest_marker(MARK)
    options = {} if mark is None else mark.kwargs
    unknown = sorted({*options} - OPTIONS) or list(() if mark is None else map(repr, mark.args))
    if unknown:
        pytest.fail(
            f"@pytest.mark.{MARK}: {', '.join(unknown)} is unknown; give "
            f"{', '.join(sorted(OPTIONS))} by name",
            pytrace=False,
        )
    return Fixture(request.config.stash[_SESSION], _name_of(request.node.nodeid), options)


def _name_of(test: str) -> str:
    """Return the name of a benchmark for a test: its identifier, without what names cannot have."""
    return re.sub(r"[\[\]=,\s*?]", "_", test.replace("[", ".").removesuffix("]"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the results of a worker of pytest-xdist to the process that started it."""
    measured = session.config.stash[_SESSION]
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[MARK] = json.dumps([measured.trees, measured.systems], default=list)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the results of a worker of pytest-xdist."""
    trees, systems = json.loads(getattr(node, "workeroutput", {}).get(MARK, "[[], {}]"))
    session = node.config.stash[_SESSION]
    session.trees += trees
    session.systems.update(systems)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was measured, and write the run file."""
    config = terminalreporter.config
    session = config.stash[_SESSION]
    output = config.getoption("stratoperf_output")
    if not session.trees:
        return
    from stratoperf.errors import StratoperfError
    from stratoperf.results import Run
    from stratoperf.running.document import new_document

    document = new_document("pytest", pytest={"workers": len({*_processes(session.trees)})})
    # Of several with one name, as where a test is run twice, the last.
    latest = {str(tree["key"]): tree for tree in session.trees}
    results = [latest[key] for key in sorted(latest)]
    run = Run({**document, "systems": session.systems, "results": results})
    terminalreporter.section("stratoperf")
    for result in run.results:
        terminalreporter.write_line(f"{result.benchmark}: {_in_short(result)}")
    if output is not None:
        try:
            terminalreporter.write_line(f"saved: {run.save(output)}")
        except StratoperfError as error:
            terminalreporter.write_line(f"not saved: {error}", red=True)


def _in_short(result: Result) -> str:
    from stratoperf.text import units

    summary = result.metrics["latency"].summary
    quantiles = [] if summary is None else [("p50", summary.p50), ("p95", summary.p95)]
    shown = (f"{name} {units.interval(value, 'ns')}" for name, value in quantiles if value)
    return ", ".join([*shown, *(() if summary is None else (f"{summary.count:,} samples",))])


def _processes(trees: Sequence[Mapping[str, Any]]) -> list[str]:
    return [series["process"] for tree in trees for series in tree["series"]]
