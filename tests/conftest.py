"""What holds for all tests."""

from __future__ import annotations

import signal
import sys
from types import ModuleType
from typing import NoReturn

import pytest

from stratoperf import backends
from stratoperf.errors import StratoperfError
from stratoperf.running import REGISTRY, Registry, attempt, registry, runner


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
    """Take Ctrl-C and Ctrl-\\ even where they are ignored, as in the background of a script.

    Many tests press them in processes that they start, and those would inherit that they are
    ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked `gpu` where there is none, with the reason."""
    marked = [item for item in items if item.get_closest_marker("gpu") is not None]
    reason = backends.unavailable_reason("cuda") if marked else None
    if reason is not None:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"needs a CUDA device: {reason}"))
