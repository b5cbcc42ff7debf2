"""The benchmark of this package, its backend and its claim."""

from __future__ import annotations

import stratoperf as sp
from checksums import _native

# Beside "cpu". The module that declares a benchmark with a backend imports what adds it.
INSTRUCTION = sp.backend("crc-instruction", _native.instruction_problem).name

FAST = sp.Target("latency.p95", "<", 1, "us", where={"size": 4096, "backend": INSTRUCTION})


def _check_size(size: int) -> None:
    if not 8 <= size <= 1 << 30:
        raise sp.InvalidParameter(f"size: expected 8 to {1 << 30} bytes, got {size}")


@sp.benchmark(
    "checksums.crc32c",
    params={"size": [4096, 64, 1 << 20]},
    backends=("cpu", INSTRUCTION),
    category="checksums",
    items="size",
    item_unit="bytes",
    target=FAST,
    check=_check_size,
)
def crc32c(size: int, backend: str) -> sp.Operation:
    """Compute the CRC-32C of `size` bytes, with a table or with the processor's instruction.

    The outcome of the last iteration is compared with the definition of the polynomial.
    """
    return sp.Operation(_native.operation(size, backend == INSTRUCTION))


# Rows of stratoperf claims. What no benchmark measures yet stays there as "not measured".
sp.claim(
    "Checksums",
    "CRC-32C of 4 KiB, p95",
    "< 1 µs",
    benchmark="checksums.crc32c",
    target=FAST,
)
sp.claim("Checksums", "CRC-32C of a file, throughput", "> 5 GB/s")
