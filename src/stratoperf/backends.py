"""Which backends can run here, and why others cannot."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stratoperf.errors import BackendUnavailable, InvalidParameter, did_you_mean

if TYPE_CHECKING:
    from types import ModuleType

# Best first: what "auto" tries. The reference is for checking and never chosen by itself.
PREFERENCE = ("cuda", "cpu")
BACKENDS = ("cpu", "cuda", "reference")

_CUDA_MODULE = "stratoperf._cuda"

# The nearest name by its letters would be another one.
OTHER_NAMES = {"gpu": "cuda", "nvidia": "cuda", "native": "cpu", "python": "reference"}


def unavailable_reason(backend: str) -> str | None:
    """Return why `backend` cannot run here, or ``None`` when it can.

    Raises
    ------
    InvalidParameter
        For a name that is no backend.
    """
    if backend not in BACKENDS:
        meant = OTHER_NAMES.get(backend.lower(), backend)
        raise InvalidParameter(f"backend: {backend!r} is unknown; {did_you_mean(meant, BACKENDS)}")
    if backend == "cuda":
        return _cuda_problem()
    return None


def cuda_module() -> ModuleType:
    """Return the extension module ``stratoperf._cuda``, imported on first use.

    Importing it calls no driver.

    Raises
    ------
    BackendUnavailable
        When this build has none.
    """
    try:
        module = sys.modules.get(_CUDA_MODULE) or importlib.import_module(_CUDA_MODULE)
    except ModuleNotFoundError:
        module = None
    # Without the extension the import finds the folder of its type stubs: a package of nothing.
    if module is None or getattr(module, "__file__", None) is None:
        raise BackendUnavailable(
            "this build of stratoperf has no CUDA module; install it where nvcc is on the PATH "
            "with -Ccmake.define.STRATOPERF_CUDA=ON"
        )
    return module


def cuda_is_built() -> bool:
    """Tell whether this build has a CUDA module."""
    try:
        cuda_module()
    except (BackendUnavailable, ImportError):
        return False
    return True


def _cuda_problem() -> str | None:
    try:
        reason: str = cuda_module().device.unavailable_reason()
    except (BackendUnavailable, ImportError) as error:
        return str(error)
    return reason or None


def resolve(backend: str, supported: Sequence[str]) -> str:
    """Turn a requested backend into one that runs here.

    Parameters
    ----------
    backend
        ``"auto"`` or a backend's name.
    supported
        The backends that the workload has.

    Raises
    ------
    BackendUnavailable
        When the workload does not have it, or this machine or build cannot run it.
    InvalidParameter
        For a name that is no backend.
    """
    if backend == "auto":
        for name in PREFERENCE:
            if name in supported and unavailable_reason(name) is None:
                return name
        raise BackendUnavailable(f"backend: none of {', '.join(supported)} can run here")
    reason = unavailable_reason(backend)
    if backend not in supported:
        reason = f"this workload has only {', '.join(supported)}"
    if reason is not None:
        raise BackendUnavailable(f"backend {backend!r} cannot run: {reason}")
    return backend
