"""Matching on a CUDA device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratoperf import backends
from stratoperf._core import synthesis as native
from stratoperf.operation import Operation
from stratoperf.stratoswarm.synthesis.compiled import compile_patterns, matched_columns

if TYPE_CHECKING:
    from stratoperf._cuda import synthesis as device
    from stratoperf.stratoswarm.synthesis.matcher import Matcher

BYTES_PER_NODE = 8
"""What a device reads of each node for each tile of patterns: type and child count in one word, and
the value."""


def open_matcher(matcher: Matcher, max_hits: int, **limits: int) -> device.Matcher:
    """Return the native matcher of the CUDA module, with the table in device memory.

    Parameters
    ----------
    matcher
        Whose table and patterns are compared.
    max_hits
        More are an error.
    limits
        Smaller ones than a device has, for tests: `capacity`, the hits that there is room for at
        first, and `pass_cells`, how much is compared at once.

    Raises
    ------
    InvalidParameter
        For a table of more than 65,535 types.
    BackendUnavailable
        When there is no device, or not enough memory.
    """
    table = matcher.table
    compiled = compile_patterns(matcher.patterns, table.vocabulary)
    columns = matched_columns(table)
    backends.cuda_module()  # says so where this build has none
    from stratoperf._cuda import synthesis as device

    return device.Matcher(
        columns=columns,
        subtree=native.number_subtrees(columns) if compiled.needs_subtrees else None,
        nodes=compiled.nodes,
        begin=compiled.begin,
        layout_sets=compiled.layout_sets,
        layout_words=compiled.layout_words,
        max_hits=max_hits,
        **limits,
    )


def details(matcher: device.Matcher) -> dict[str, int | float]:
    """Return how the work is spread over the device, and what the device can do at best."""
    from stratoperf._cuda import integer_rate

    return {
        "bytes_per_node": BYTES_PER_NODE,
        **matcher.plan,
        "integer_steps_per_s": integer_rate.steps_per_second(),
    }


def large_operation(matcher: Matcher) -> Operation:
    """Return the operation of a matcher on a device that leaves the hits there, in order.

    For what a device can do: `Matcher.operation` brings them to the host as well, four bytes a hit
    over the bus, which can take as long as finding them. The verification holds hits and
    comparisons to the backend ``cpu``, which is held to the reference elsewhere and takes seconds
    for ten billion comparisons.
    """
    from stratoperf.stratoswarm.synthesis.matcher import Matcher

    on_cpu = Matcher(matcher.table, matcher.patterns, "cpu", max_bytes=matcher.max_bytes)
    return matcher.verified_operation("synthesis.match_large", on_cpu.match, resident=True)
