"""Which backends can run here, and why others cannot."""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from stratoperf.errors import BackendUnavailable, InvalidParameter, did_you_mean
from stratoperf.failures import describe

if TYPE_CHECKING:
    from types import ModuleType

_CUDA_MODULE = "stratoperf._cuda"


@dataclasses.dataclass(frozen=True)
class Backend:
    """What does the work of a benchmark; made by `stratoperf.backend`.

    Attributes
    ----------
    name
        Such as ``"cuda"``.
    unavailable_reason
        Returns why it cannot run here, or ``None`` when it can.
    has_device
        Whether its operations may tell times of a device beside those of the host.
    other_names
        What users may write for it; a message suggests the name.
    """

    name: str
    unavailable_reason: Callable[[], str | None]
    has_device: bool = False
    other_names: tuple[str, ...] = ()


def backend(
    name: str,
    unavailable_reason: Callable[[], str | None],
    *,
    has_device: bool = False,
    other_names: tuple[str, ...] = (),
) -> Backend:
    """Add a backend that benchmarks can name.

    A module that declares a benchmark with the backend must import the module that adds it: fresh
    processes import the former alone.

    Parameters
    ----------
    name
        Lower-case letters, digits and hyphens.
    unavailable_reason
        Returns why it cannot run here and how to fix that, or ``None`` when it can.
    has_device
        Whether its operations may tell times of a device beside those of the host.
    other_names
        What users may write for it; a message suggests the name.

    Returns
    -------
    Backend
        What was added.

    Raises
    ------
    InvalidParameter
        When no backend can have the name, or another one has it.
    """
    if not isinstance(name, str) or _NAME.fullmatch(name) is None or name == "auto":
        raise InvalidParameter(
            f"name: {name!r} cannot name a backend; use lower-case letters, digits and hyphens, "
            "such as 'rocm'"
        )
    if not callable(unavailable_reason):
        raise InvalidParameter(
            f"unavailable_reason: expected a function without arguments for the backend {name!r}, "
            f"got {unavailable_reason!r}"
        )
    known = _BACKENDS.get(name)
    if known is not None and known.unavailable_reason is not unavailable_reason:
        raise InvalidParameter(f"name: the backend {name!r} already exists; choose another name")
    added = Backend(name, unavailable_reason, has_device, tuple(other_names))
    _BACKENDS[name] = added
    return added


def names() -> tuple[str, ...]:
    """Return the names of all backends."""
    return tuple(_BACKENDS)


def has_device(name: str) -> bool:
    """Tell whether operations of a backend may tell times of a device."""
    return name in _BACKENDS and _BACKENDS[name].has_device


def unavailable_reason(backend: str) -> str | None:
    """Return why `backend` cannot run here, or ``None`` when it can.

    Raises
    ------
    InvalidParameter
        For an unknown backend.
    """
    if backend not in _BACKENDS:
        # The nearest name by its letters would be another one.
        meant = next(
            (known.name for known in _BACKENDS.values() if backend.lower() in known.other_names),
            backend,
        )
        raise InvalidParameter(f"backend: {backend!r} is unknown; {did_you_mean(meant, names())}")
    try:
        return _BACKENDS[backend].unavailable_reason() or None
    except Exception as error:
        # Of another package: it must not end what is planned with other backends.
        return f"asking whether it can run here failed: {describe(error)}"


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
    return reason


def _is_always_here() -> None:
    return None


_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

_BACKENDS = {
    known.name: known
    for known in (
        Backend("cpu", _is_always_here, other_names=("native",)),
        Backend("cuda", _cuda_problem, has_device=True, other_names=("gpu", "nvidia")),
        Backend("reference", _is_always_here, other_names=("python",)),
    )
}
"""Those of the instrument, and then those of packages."""

REFERENCE = "reference"
"""For checking; never chosen by itself."""


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
        For an unknown backend.
    """
    if backend == "auto":
        # A device is likely to be faster.
        for name in sorted(supported, key=has_device, reverse=True):
            if name != REFERENCE and unavailable_reason(name) is None:
                return name
        raise BackendUnavailable(f"backend: none of {', '.join(supported)} can run here")
    reason = unavailable_reason(backend)
    if backend not in supported:
        reason = f"this workload has only {', '.join(supported)}"
    if reason is not None:
        raise BackendUnavailable(f"backend {backend!r} cannot run: {reason}")
    return backend
