"""Conversion between the units of one quantity."""

from __future__ import annotations

from types import MappingProxyType

from stratoperf.errors import InvalidParameter

_TIME = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_BYTES = {
    "B": 1.0,
    **{f"{prefix}B": 1000.0**power for power, prefix in enumerate(("k", "M", "G", "T"), start=1)},
    "KB": 1e3,
    **{f"{p}iB": 1024.0**power for power, p in enumerate(("K", "M", "G", "T"), start=1)},
}
_SHARE = {"": 1.0, "%": 0.01}

_SCALES = MappingProxyType(
    {
        unit: (kind, factor)
        for kind, units in (("time", _TIME), ("bytes", _BYTES), ("share", _SHARE))
        for unit, factor in units.items()
    }
)


def conversion(source: str, destination: str) -> float:
    """Return the factor that converts a value from `source` to `destination`.

    Parameters
    ----------
    source, destination
        Units such as ``"ns"``, ``"us"``, ``"GB"`` and ``"%"``, counted things such as
        ``"votes"``, or rates of them such as ``"GB/s"`` and ``"votes/s"``.

    Raises
    ------
    InvalidParameter
        When they do not measure the same quantity.
    """
    kind, factor = _scale(source)
    other_kind, other_factor = _scale(destination)
    if kind != other_kind:
        raise InvalidParameter(
            f"unit: {source!r} cannot be converted to {destination!r}; "
            f"give the target in a unit of the same quantity as {source!r}"
        )
    return factor / other_factor


def depends_on_speed(unit: str) -> bool:
    """Return whether a slower machine changes a quantity: times and rates, not sizes and shares."""
    return "time" in _scale(unit)[0].split("/")


def _scale(unit: str) -> tuple[str, float]:
    """Return the quantity and the factor to its base unit; unknown names are things counted."""
    if unit in _SCALES:
        return _SCALES[unit]
    numerator, slash, denominator = unit.rpartition("/")
    if not slash:
        return unit, 1.0
    kind, factor = _scale(numerator)
    per, per_factor = _scale(denominator)
    return f"{kind}/{per}", factor / per_factor
