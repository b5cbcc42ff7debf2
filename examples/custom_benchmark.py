"""Define a benchmark of your own, run it, and look at the verdict of its target.

Run it with ``python examples/custom_benchmark.py``. A package that registers the function's module
under the entry-point group ``stratoperf.benchmarks`` adds it to ``stratoperf run`` and ``list``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import stratoperf as sp


@sp.benchmark(
    "kv.put",
    params={"size": [64, 4096]},
    version=1,
    target=sp.Target("latency.p95", "<", 100, "us", where={"size": 64}),
)
def kv_put(size: int) -> Iterator[sp.Operation]:
    """Store one value of `size` bytes in a dictionary."""
    store: dict[int, bytearray] = {}
    keys = itertools.cycle(range(1024))

    def put() -> None:
        store[next(keys)] = bytearray(size)

    def verify() -> int:
        wrong = [key for key, stored in store.items() if stored != bytes(size)]
        if wrong:
            raise sp.VerificationFailed(f"keys {wrong[:5]} hold other values than were put")
        return len(store)

    yield sp.Operation(put, item_unit="puts", verify=verify)
    store.clear()  # what stands after the yield runs also when the measurement fails


if __name__ == "__main__":
    run = sp.run("kv.put", preset="quick")
    for result in run.results:
        latency = result.metrics.get("latency")
        p95 = latency.statistic("p95") if latency else None
        if latency is None or p95 is None:
            print(result.key, result.status, result.reason)
            continue
        verdict = latency.target.verdict if latency.target else "no target"
        print(result.key, f"p95 {p95.value:.0f} ns: {verdict}")
