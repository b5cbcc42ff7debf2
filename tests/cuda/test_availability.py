"""Whether CUDA can be used, and what is said where it cannot."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

import stratoperf as sp
from stratoperf import backends
from stratoperf.stratoswarm.consensus import Round
from wording import mentions


def test_a_device_makes_cuda_the_backend_of_choice(emulated_cuda: Any) -> None:
    assert backends.unavailable_reason("cuda") is None
    assert backends.resolve("auto", ("cuda", "cpu")) == "cuda"


def test_without_a_driver_that_is_the_reason(emulated_cuda: Any) -> None:
    emulated_cuda.set_driver_version(0)
    assert "no NVIDIA driver is loaded" in (backends.unavailable_reason("cuda") or "")
    assert backends.resolve("auto", ("cuda", "cpu")) == "cpu"


def test_a_driver_that_is_too_old_is_told_with_both_versions(emulated_cuda: Any) -> None:
    emulated_cuda.set_driver_version(11040)
    reason = backends.unavailable_reason("cuda")
    assert reason is not None
    assert mentions(reason, "CUDA", "11.4", "1")


def test_without_a_device_that_is_the_reason(emulated_cuda: Any) -> None:
    emulated_cuda.set_device_count(0)
    with pytest.raises(sp.BackendUnavailable, match="no CUDA device; see nvidia-smi"):
        Round(backend="cuda")


@pytest.mark.usefixtures("without_cuda")
def test_a_build_without_the_module_says_how_to_get_it() -> None:
    assert not backends.cuda_is_built()
    with pytest.raises(sp.BackendUnavailable, match="STRATOPERF_CUDA=ON"):
        backends.resolve("cuda", ("cuda", "cpu"))


def test_a_child_forked_from_a_process_with_cuda_is_told_to_spawn(emulated_cuda: Any) -> None:
    assert backends.unavailable_reason("cuda") is None
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(backends.unavailable_reason("cuda")))
    child.start()
    assert receiver.poll(60)
    assert f"CUDA was initialized in process {os.getpid()} before it forked" in receiver.recv()
    child.join(60)
    assert child.exitcode == 0


def test_the_facts_of_a_device_are_those_of_the_runtime(
    emulated_cuda: Any, emulated_module: ModuleType
) -> None:
    facts = emulated_module.device.facts()
    assert facts.name == "emulated device"
    assert facts.shared_bytes_per_block >= 48 * 1024
    with pytest.raises(sp.InvalidParameter, match=r"^device: expected 0 to 0, got 1"):
        emulated_module.device.facts(1)


def test_importing_the_module_opens_no_driver() -> None:
    if not backends.cuda_is_built():
        pytest.skip("needs a build with the CUDA module")
    mapped = subprocess.run(
        [
            sys.executable,
            "-c",
            "import stratoperf._cuda; print(open('/proc/self/maps').read())",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "_cuda" in mapped
    assert "libcuda" not in mapped


@pytest.mark.gpu
def test_a_real_device_is_found() -> None:
    facts = backends.cuda_module().device.facts()
    assert facts.memory_bytes > 0
    assert facts.multiprocessors > 0
