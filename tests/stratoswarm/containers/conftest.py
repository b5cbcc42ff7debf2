"""Spawners for the tests, each of which has to leave the machine as it was."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import stratoperf as sp
from container_ground import availability, ground, nothing_new, wait_until


@pytest.fixture(autouse=True)
def _leaves_nothing() -> Iterator[None]:
    """Hold every test to leaving the machine as it was, one test at a time."""
    with (Path(tempfile.gettempdir()) / "stratoperf-container-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = ground()
        yield
        assert wait_until(lambda: nothing_new(before)), (before, ground())


@pytest.fixture
def needs_containers() -> None:
    state = availability()
    if not state.usable:
        pytest.skip(f"needs containers: {state.reason}; {state.remedy}")


@pytest.fixture
def spawner(needs_containers: None) -> Iterator[sp.containers.Spawner]:
    with sp.containers.Spawner() as spawner:
        yield spawner


@pytest.fixture
def limits(spawner: sp.containers.Spawner) -> sp.containers.Limits:
    limits = sp.containers.Limits()
    try:
        spawner.spawn(limits=limits).destroy()
    except sp.PrerequisiteMissing as error:
        pytest.skip(f"needs control groups: {error}")
    return limits
