"""Matching on a CUDA device alone, as an operation of its own."""

from __future__ import annotations

from stratoperf.operation import Operation
from stratoperf.stratoswarm.synthesis.matcher import Matcher


def large_operation(matcher: Matcher) -> Operation:
    """Return the operation of a matcher on a device that leaves the hits there, in order.

    For what a device can do: `Matcher.operation` brings them to the host as well, four bytes a hit
    over the bus, which can take as long as finding them. The verification holds hits and
    comparisons to the backend ``cpu``, which is held to the reference elsewhere and takes seconds
    for ten billion comparisons.
    """
    on_cpu = Matcher(matcher.table, matcher.patterns, "cpu", max_bytes=matcher.max_bytes)
    return matcher.verified_operation("synthesis.match_large", on_cpu.match, resident=True)
