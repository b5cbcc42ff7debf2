"""The keys that every result of a run file has, of a run or of a live comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stratoperf.results.schema import Count, Status
from stratoperf.running.values import Value


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of a case, for a reader without its declaration.

    Attributes
    ----------
    key
        See `stratoperf.running.keys`.
    benchmark, version, category
        Name, version and category of its benchmark.
    backend, params
        What distinguishes it from other cases of the benchmark.
    """

    key: str
    benchmark: str
    version: Count
    category: str
    backend: str
    params: Mapping[str, Value]


def tree_of(
    identity: Identity, status: Status, reason: str | None, **fields: Any
) -> dict[str, Any]:
    """Return the result of a case as a run file would hold it.

    Parameters
    ----------
    identity
        What was measured.
    status, reason
        How it went.
    fields
        The other keys of the result.
    """
    return {
        "key": identity.key,
        "benchmark": identity.benchmark,
        "benchmark_version": identity.version,
        "category": identity.category,
        "backend": identity.backend,
        "params": dict(identity.params),
        "status": status,
        "reason": reason,
        "below_standard": [],
        **fields,
    }
