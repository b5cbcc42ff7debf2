"""Matching on a CUDA device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stratoperf import backends
from stratoperf._core import synthesis as native
from stratoperf.stratoswarm.synthesis.compiled import compile_patterns, matched_columns
from stratoperf.stratoswarm.synthesis.pattern import Pattern
from stratoperf.stratoswarm.synthesis.table import NodeTable

if TYPE_CHECKING:
    from stratoperf._cuda import synthesis as device

BYTES_PER_NODE = 8
"""What a device reads of each node for each tile of patterns: type and child count in one word, and
the value."""


def open_matcher(
    table: NodeTable, patterns: Sequence[Pattern], max_hits: int, **limits: int
) -> device.Matcher:
    """Return the native matcher of the CUDA module, with the table in device memory.

    Parameters
    ----------
    table, patterns
        What is compared.
    max_hits
        Maximum number of hits; more are an error.
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
    compiled = compile_patterns(patterns, table.vocabulary)
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
    """Return how the work is spread over the device, and the peak rate of the device."""
    from stratoperf._cuda import integer_rate

    return {
        "bytes_per_node": BYTES_PER_NODE,
        **matcher.plan,
        "integer_steps_per_s": integer_rate.steps_per_second(),
    }
