"""Embed a measurement in another tool: measure, decide, and keep the evidence.

Run it with ``python examples/embed_measurement.py``.
"""

from __future__ import annotations

import json
import sys

import stratoperf as sp

BUDGET_US = 500.0


def build_index() -> dict[str, int]:
    """Stand for the code of your tool whose speed you promise."""
    return {f"key-{number}": number for number in range(1000)}


def main() -> int:
    """Measure the function and hold its p95 to a budget."""
    # It stops once p95, which decides, is known well enough.
    measurement = sp.measure(
        build_index, name="build_index", warmup_s=0.2, max_duration_s=2.0, quantile=0.95
    )
    p95 = measurement.quantile(0.95)
    print(measurement)
    print(json.dumps({"p95_ns": p95.value, "low": p95.low, "high": p95.high}))
    # The whole interval must lie within the budget; a lucky value alone proves nothing.
    if p95.high is not None and p95.high <= BUDGET_US * 1e3:
        print(f"p95 is within {BUDGET_US:g} µs")
        return 0
    print(f"p95 is not shown to be within {BUDGET_US:g} µs")
    return 1


if __name__ == "__main__":
    sys.exit(main())
