"""Which backends can run here, and why others cannot."""

from __future__ import annotations

from collections.abc import Sequence

from stratoperf.errors import BackendUnavailable, InvalidParameter, did_you_mean

# Best first: what "auto" tries. The reference is for checking and never chosen by itself.
PREFERENCE = ("cuda", "cpu")
BACKENDS = ("cpu", "cuda", "reference")

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
        return "this build of stratoperf has no CUDA module"
    return None


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
