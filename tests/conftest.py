"""What holds for all tests."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from repetitions import repetitions
from stratoperf import backends
from stratoperf.errors import StratoperfError
from stratoperf.running import REGISTRY, Registry, attempt, registry, runner

THOROUGH = {
    "analysis/test_tails.py": "simulates thousands of comparisons",
    "analysis/test_two_levels.py": "simulates thousands of comparisons",
    "cli/test_advice.py": "runs each command that a message advises",
    "cli/test_advice_works.py": "runs each command that a message advises",
    "cli/test_endings.py": "ends commands by every signal and waits for them",
    "cli/test_live_commands.py": "compares fresh processes until there is a verdict",
    "cuda": "compiles the CUDA module on an emulator, which runs the kernels slowly",
    "gate_power": "runs the scripts that prove the error rates of the gates",
    "repeatability": "runs the scripts that prove the coverage of the intervals",
    "robustness": "starts commands and disturbs, strikes or kills them",
    "running": "starts the processes that measure, and waits for those that hang",
    "test_examples.py": "runs the examples",
    "test_pytest_fixture.py": "runs pytest in processes of their own",
    "test_gpu_report.py": "runs the script of a GPU to the end of its time",
}
"""What the README's test command leaves out, and why it takes long.

Those who install stratoperf run the other tests to trust what they installed; `.ci/tests` runs
these. A test marked ``slow`` is left out too, and has its reason in the mark.
"""

try:
    import hypothesis
except ImportError:
    # On a GPU, the image may lack it.
    pass
else:
    # A sanitizer and a busy machine make drawing inputs slow, which says nothing of the tests.
    hypothesis.settings.register_profile(
        "any machine",
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        max_examples=repetitions(100),
    )
    hypothesis.settings.load_profile("any machine")

_REASON = "why it takes long"


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Replace what `sp.benchmark` registers in and `sp.run` selects from."""
    REGISTRY.all()
    empty = Registry()
    monkeypatch.setattr(registry, "REGISTRY", empty)
    monkeypatch.setattr(runner, "REGISTRY", empty)
    return empty


@pytest.fixture(autouse=True)
def _undisturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have verdicts on what this process measures, although other tests run beside it."""
    monkeypatch.setattr(attempt, "disturbance", lambda environment: None)


@pytest.fixture
def measured_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `sp.run` measure in this process: fresh ones take long, and know nothing of a test."""

    def refuse() -> NoReturn:
        raise StratoperfError("this test is to start no processes")

    monkeypatch.setattr(runner, "guarded", refuse)


@pytest.fixture
def without_cuda(monkeypatch: pytest.MonkeyPatch) -> str:
    """Have a build without CUDA, wherever the tests run; returns the reason that users get."""
    # What an import finds where only the type stubs are.
    monkeypatch.setitem(sys.modules, "stratoperf._cuda", ModuleType("stratoperf._cuda"))
    reason = backends.unavailable_reason("cuda")
    assert reason is not None
    return reason


def pytest_configure() -> None:
    """Give all tests, and the processes that they start, the same surroundings.

    Ctrl-C and Ctrl-\\ are ignored in the background of a script, and many tests press them. The
    workers of pytest-xdist set COLUMNS, which is the width of tables in pipes.
    """
    os.environ.pop("COLUMNS", None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is thorough, and skip the tests marked `gpu` where there is none."""
    for item in items:
        reason = _why_it_takes_long(item)
        if reason is not None:
            item.add_marker("thorough")
            item.user_properties.append((_REASON, reason))
    marked = [item for item in items if item.get_closest_marker("gpu") is not None]
    reason = backends.unavailable_reason("cuda") if marked else None
    if reason is not None:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"needs a CUDA device: {reason}"))


def _why_it_takes_long(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("slow")
    if marker is not None:
        (reason,) = marker.args
        return str(reason)
    path = item.path.relative_to(Path(__file__).parent)
    names = (parent.as_posix() for parent in (path, *path.parents))
    return next((THOROUGH[name] for name in names if name in THOROUGH), None)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say of the slowest tests why they take long, where ``--durations`` asks for them."""
    most = terminalreporter.config.getoption("durations")
    if not most:
        return
    calls = [
        report
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
    ]
    calls.sort(key=lambda report: report.duration, reverse=True)
    terminalreporter.section("why the slowest tests take long")
    for report in calls[:most]:
        reason = dict(report.user_properties).get(_REASON, "no reason is given")
        terminalreporter.line(f"{report.duration:6.1f} s  {report.nodeid}: {reason}")
