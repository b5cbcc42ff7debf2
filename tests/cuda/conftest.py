"""The CUDA module on the emulator, so that the tests here need no GPU."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import stratoperf

ROOT = Path(__file__).resolve().parents[2]

# What the tests of the workloads draw and compare with, also where those are not collected.
sys.path += [
    str(ROOT / "tests" / folder)
    for folder in ("faults", "stratoswarm/memory", "stratoswarm/synthesis")
]

BUILD_S = 600
"""Seconds that building the module takes at most, on a loaded machine."""


@pytest.hookimpl(trylast=True)  # of those that remain
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the first test on the emulator the time to build it.

    Of several processes each has a first one, which waits for the one that builds.
    """
    in_parallel = "PYTEST_XDIST_WORKER" in os.environ
    for item in items:
        if {"emulated_module", "device"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(BUILD_S))
            if not in_parallel:
                break


@pytest.fixture(autouse=True)
def _here(measured_here: None) -> None:
    """Measure in this process: others do not have the emulator."""


@pytest.fixture(scope="session")
def emulated_module() -> ModuleType:
    """Return the CUDA module on the emulator; built on first use, and only what changed."""
    options = shlex.split(os.environ.get("STRATOPERF_EMULATOR_CMAKE_ARGS", ""))
    # A folder for each set of options: CI builds it with sanitizers too.
    kind = "".join(f"-{zlib.crc32(option.encode()):08x}" for option in options)
    path = build(ROOT / "build/emulated-cuda" / f"{sys.implementation.cache_tag}{kind}", options)
    # Not by the name of the real one, for which pybind11 would return that.
    spec = importlib.util.spec_from_file_location("emulated._cuda", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def emulated_cuda(emulated_module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Put a fresh emulated device in place of the CUDA module; yields the emulator's controls.

    What a test leaves allocated on the device is a leak, and fails it.
    """
    control = emulated_module.emulator
    control.reset()
    monkeypatch.setitem(sys.modules, "stratoperf._cuda", emulated_module)
    monkeypatch.setattr(stratoperf, "_cuda", emulated_module, raising=False)
    yield control
    gc.collect()
    statistics = control.statistics()
    leaks = {
        name: count for name, count in statistics.items() if name.startswith("live_") and count
    }
    control.reset()
    assert not leaks


@pytest.fixture(params=["emulated", pytest.param("real", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    """Run a test on the emulated device, and on a real one where there is one."""
    kind: str = request.param
    if kind == "emulated":
        request.getfixturevalue("emulated_cuda")
    return kind


def build(folder: Path, options: list[str]) -> Path:
    """Build the module and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        # Two sessions of tests may run at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(
            *("cmake", "-S", str(ROOT), "-B", str(folder)),
            *("-DSTRATOPERF_EMULATED_CUDA=ON", "-DSTRATOPERF_CUDA=OFF"),
            # Line numbers in what a sanitizer says, and an emulator that is fast enough.
            "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-Dpybind11_DIR={pybind11_folder()}",
            *options,
        )
        run("cmake", "--build", str(folder), "--target", "_emulated_cuda", "--parallel")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    return folder / "tests" / "cuda_emulator" / "python" / f"_cuda{suffix}"


def pybind11_folder() -> str:
    """Return where CMake finds pybind11."""
    import pybind11

    return pybind11.get_cmake_dir()


def run(*command: str) -> None:
    """Run a command; what it printed is in the failure."""
    # The tools that the test extra brings are beside the interpreter, which may not be active.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path}
    with contextlib.suppress(KeyError):
        # The sanitizers of the tests are not those of the compiler.
        del environment["LD_PRELOAD"]
    if "CMAKE_GENERATOR" not in environment:
        environment["CMAKE_GENERATOR"] = "Ninja"
    done = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
