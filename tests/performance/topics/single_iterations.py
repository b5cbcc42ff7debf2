"""How long single iterations of an operation take."""

from __future__ import annotations

import stratoperf as sp

SECONDS = 0.15


def quantile_us(operation: sp.Operation, quantile: float) -> float:
    """Return a quantile of single iterations in microseconds.

    Nothing is verified: outcomes are checked once, elsewhere.
    """
    unverified = sp.Operation(operation.work)
    measured = sp.measure(
        unverified, warmup_s=0.02, max_duration_s=SECONDS, min_iterations=100, precision=0, batch=1
    )
    return measured.quantile(quantile).value / 1e3
