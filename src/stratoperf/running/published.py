"""The claims that StratoSwarm publishes about itself, as data.

Each row is one figure of the published tables. A claim whose benchmark does not exist yet stays
in the table, so that it is seen that nobody has checked it.
"""

from __future__ import annotations

import dataclasses

from stratoperf.running.targets import Target


@dataclasses.dataclass(frozen=True)
class Claim:
    """One published figure.

    Attributes
    ----------
    component, metric
        As published.
    text
        The target as published.
    published
        The "current" value as published.
    benchmark
        The benchmark that measures it, or ``None``.
    target
        The statistic of that benchmark that is judged, and where the claim applies.
    """

    component: str
    metric: str
    text: str
    published: str = "unknown"
    benchmark: str | None = None
    target: Target | None = None


CONSENSUS_LATENCY = Target(
    "latency.p95", "<", 100, "us", where={"backend": "cuda", "votes": 10_000}
)
"""The headline claim: a round over the largest published batch."""

SYNTHESIS_THROUGHPUT = Target(
    "throughput.mean", ">=", 2.6e9, "operations/s", where={"backend": "cuda", "level": "simple"}
)
"""All operations over all time; an operation is one comparison evaluated."""

GPU_UTILIZATION = Target("utilization.mean", ">", 90, "%", where={"backend": "cuda"})
"""Sustained: the mean of what the driver tells over 30 s."""

MIGRATION_LATENCY = Target("latency.p95", "<", 1, "ms", where={"size": 1 << 20})
"""Between any two tiers; of several routes the claims table judges the slowest."""

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "GPU consensus", "latency p95", "< 100 µs", "~49 µs", "consensus.round", CONSENSUS_LATENCY
    ),
    Claim(
        "GPU synthesis",
        "throughput",
        "2.6e9 operations/s",
        "2.6e9 operations/s",
        "synthesis.match",
        SYNTHESIS_THROUGHPUT,
    ),
    Claim(
        "Memory migration",
        "latency p95 (1 MB)",
        "< 1 ms",
        "< 50 ms",
        "memory.migrate",
        MIGRATION_LATENCY,
    ),
    Claim("Container spawn", "time to ready p95", "< 500 µs"),
    Claim("GPU utilization", "sustained", "> 90 %", "~70 %", "gpu.utilization", GPU_UTILIZATION),
    Claim("Agent scale", "live agents per node", "> 10,000"),
    Claim("Swarmlet join", "total", "< 30 s"),
    Claim("Swarmlet join", "profile", "< 5 s"),
    Claim("Swarmlet join", "discovery", "< 3 s"),
    Claim("Swarmlet join", "certificates", "< 2 s"),
    Claim("Swarmlet footprint", "resident memory", "< 50 MB (acceptable < 100 MB)"),
    Claim("Coordination", "latency between nodes p95", "< 10 ms (acceptable < 50 ms)"),
    Claim("Failure", "detection", "< 10 s"),
    Claim("Failure", "recovery", "< 30 s"),
    Claim("Network overhead", "share of link", "< 5 %"),
    Claim("Knowledge graph", "node insert p95", "< 1 µs"),
    Claim("Knowledge graph", "1 hop p95", "< 10 µs"),
    Claim("Knowledge graph", "5 hops p95", "< 1 ms"),
    Claim("Knowledge graph", "semantic search over 1M nodes p95", "< 100 µs"),
    Claim("Zero-config", "language detection per file p95", "< 1 ms"),
    Claim("Zero-config", "dependency analysis per project p95", "< 100 ms"),
    Claim("Zero-config", "pattern recognition per codebase p95", "< 1 s"),
    Claim("Zero-config", "config generation p95", "< 10 ms"),
    Claim("Streaming", "throughput", "> 1 GB/s"),
    Claim("Kernel modules", "GPU allocation p95", "< 10 µs"),
    Claim("Kernel modules", "DMA check p95", "< 1 µs"),
    Claim("Kernel modules", "syscall interception p95", "< 1 µs (500 ns goal)"),
    Claim("Kernel modules", "page-fault tracking p95", "< 100 ns"),
)
