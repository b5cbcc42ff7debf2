"""What a loaded module adds to a system call: interleaved pairs without it and with it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from stratoperf import measure
from stratoperf.operation import Observed, Operation
from stratoperf.stratoswarm.kernel_modules import operations
from stratoperf.stratoswarm.kernel_modules.loading import LoadableModule

PAIRS = 30
"""Each is loaded and unloaded once; the median of 30 pairs has an interval of about a third of
their spread."""

SIDE_S = 0.05
"""Seconds of calls on each side of a pair."""


def compared(call: str, module: LoadableModule, pairs: int = PAIRS) -> Operation:
    """Return the operation of a system call with the module loaded, and what the module adds.

    The metric `added` has one sample for each pair: nanoseconds a call with the module loaded, less
    those without it, both as the median of `SIDE_S` of calls. The order within a pair is random.

    Parameters
    ----------
    call
        One of `operations.CALLS`.
    module
        The module, in its ``restored`` block.
    pairs
        Number of pairs.
    """
    work = operations.system_call(call)
    module.load()
    added: list[float] = []

    def observe() -> Mapping[str, Observed]:
        order = random.Random(pairs)
        for _ in range(pairs):
            sides = [module.load, module.unload]
            if order.random() < 0.5:
                sides.reverse()
            cost = {}
            for change in sides:
                change()
                cost[change.__name__] = _median_ns(call)
            added.append(cost["load"] - cost["unload"])
        module.load()
        return {"added": Observed("ns", "lower", added)}

    def details() -> dict[str, Any]:
        return {"module": module.name, "was_loaded": module.was_loaded, "pairs": len(added)}

    return Operation(
        work.work,
        name=work.name,
        item_unit=work.item_unit,
        details=details,
        observe=observe,
    )


def _median_ns(call: str) -> float:
    taken = measure(
        operations.system_call(call),
        warmup_s=SIDE_S / 5,
        max_duration_s=SIDE_S,
        min_iterations=10,
        precision=0,
    )
    return float(taken.quantile(0.5).value)
