"""Facts about NVIDIA GPUs, asked from the driver only where one is loaded."""

from __future__ import annotations

import functools
import importlib
import logging
from collections.abc import Callable
from typing import Any

from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.model import Gpu

logger = logging.getLogger(__name__)

# The first two exist with the native driver, the last under WSL.
DRIVER_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg")


def driver_present(files: SystemFiles) -> bool:
    """Tell whether an NVIDIA driver is loaded, without calling it."""
    return any(files.exists(name) for name in DRIVER_FILES)


def gpus(files: SystemFiles) -> list[Gpu]:
    """Return the GPUs that the driver reports; no driver, or a broken one, means none."""
    nvml = connection() if driver_present(files) else None
    if nvml is None:
        return []
    return [_gpu(nvml, index) for index in range(_ask(nvml.nvmlDeviceGetCount) or 0)]


def utilization(files: SystemFiles) -> list[float] | None:
    """Return each GPU's utilization in percent over the driver's last window (up to 1 s)."""
    nvml = connection() if driver_present(files) else None
    if nvml is None:
        return None
    percents = []
    for index in range(_ask(nvml.nvmlDeviceGetCount) or 0):
        handle = _ask(nvml.nvmlDeviceGetHandleByIndex, index)
        rates = _ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        if rates is not None:
            percents.append(float(rates.gpu))
    return percents or None


@functools.cache
def connection() -> Any | None:
    """Return the initialized ``pynvml`` module, or ``None``; kept open for the process's life.

    Opening takes tens of milliseconds, so it happens once. It creates no CUDA context.
    """
    try:
        pynvml: Any = importlib.import_module("pynvml")
        pynvml.nvmlInit()
    except Exception as error:
        # A driver that does not answer is a finding for the doctor, never a crash.
        logger.debug("NVML does not start: %s", error)
        return None
    return pynvml


def _ask(question: Callable[..., Any], *arguments: Any) -> Any | None:
    """Return the driver's answer, or ``None``: each GPU model leaves some questions open."""
    try:
        return question(*arguments)
    except Exception as error:
        logger.debug("NVML: %s", error)
        return None


def _gpu(nvml: Any, index: int) -> Gpu:
    handle = _ask(nvml.nvmlDeviceGetHandleByIndex, index)

    def ask(name: str, *arguments: Any) -> Any | None:
        return _ask(getattr(nvml, name), handle, *arguments)

    memory = ask("nvmlDeviceGetMemoryInfo")
    capability = ask("nvmlDeviceGetCudaComputeCapability")
    power = ask("nvmlDeviceGetPowerManagementLimit")
    persistence = ask("nvmlDeviceGetPersistenceMode")
    mig = ask("nvmlDeviceGetMigMode")
    return Gpu(
        index=index,
        name=_decoded(ask("nvmlDeviceGetName")) or "unknown",
        memory_bytes=None if memory is None else int(memory.total),
        compute_capability=None if capability is None else ".".join(map(str, capability)),
        driver=_decoded(_ask(nvml.nvmlSystemGetDriverVersion)),
        max_sm_mhz=ask("nvmlDeviceGetMaxClockInfo", getattr(nvml, "NVML_CLOCK_SM", 1)),
        power_limit_watts=None if power is None else power / 1000,
        pcie_generation=ask("nvmlDeviceGetCurrPcieLinkGeneration"),
        pcie_width=ask("nvmlDeviceGetCurrPcieLinkWidth"),
        persistence=None if persistence is None else bool(persistence),
        mig=None if mig is None else bool(mig[0]),
    )


def _decoded(name: str | bytes | None) -> str | None:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name
