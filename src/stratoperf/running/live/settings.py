"""The settings of a live comparison: the arguments of `compare_live`, checked."""

from __future__ import annotations

import secrets
from typing import Any

from stratoperf import arguments
from stratoperf.analysis.defaults import TIMEOUT_S
from stratoperf.analysis.settings import ComparisonSettings
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.running.live.judging import STATISTICS
from stratoperf.running.live.sides import check_storable

ASIDE = ("setup", "prepare", "cleanup")
"""The commands beside the comparison."""


class Settings(ComparisonSettings, frozen=True, kw_only=True):
    """How to compare; the fields are the arguments of `compare_live`.

    Raises
    ------
    InvalidParameter
        For a value out of range.
    """

    backend: str
    statistic: str
    duration_s: float
    timeout_s: float
    seed: int
    stop_early: bool
    setup: str | None = None
    prepare: str | None = None
    cleanup: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.statistic not in STATISTICS:
            raise InvalidParameter(
                f"statistic: {self.statistic!r} is unknown; "
                f"{did_you_mean(self.statistic, STATISTICS)}"
            )
        for name in ASIDE:
            line = getattr(self, name)
            if line is not None and (not isinstance(line, str) or not line.strip()):
                raise InvalidParameter(
                    f"{name}: expected a line for /bin/sh, got {line!r}; leave it out to run none"
                )
            check_storable(name, line or "")


def make_settings(
    *, duration_s: float, timeout_s: float | None, seed: int | None, **others: Any
) -> Settings:
    """Check the arguments of `compare_live`, and fill in what was left out.

    Raises
    ------
    InvalidParameter
        For one out of range.
    """
    duration_s = arguments.seconds("duration_s", duration_s, above=0.0)
    if timeout_s is None:
        timeout_s = default_timeout_s(duration_s)
    return Settings(
        duration_s=duration_s,
        timeout_s=arguments.number("timeout_s", timeout_s, above=0.0),
        seed=_seed(seed),
        **others,
    )


def default_timeout_s(duration_s: float) -> float:
    """Return the default time limit of one process.

    The budget ends what is measured before; the limit is for the commands beside it.
    """
    return max(TIMEOUT_S, 10 * duration_s)


def _seed(seed: int | None) -> int:
    if seed is None:
        return secrets.randbits(32)
    # No larger than what a run file can hold.
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InvalidParameter(f"seed: expected an integer from 0 to 2**63 - 1, got {seed!r}")
    return seed
