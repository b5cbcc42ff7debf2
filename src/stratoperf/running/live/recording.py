"""The run file of a live comparison: every sample of every pair."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from stratoperf.paths import absolute_path
from stratoperf.results.schema import Status
from stratoperf.running.document import new_document
from stratoperf.running.live.cases import LiveCase
from stratoperf.running.live.floors import floor_tree
from stratoperf.running.live.pair_source import SIDES, Floor
from stratoperf.running.live.session import Pair, Session
from stratoperf.running.recorder import FileRecorder, MemoryRecorder
from stratoperf.running.start_recording import start_file
from stratoperf.running.trees import tree_of


def start_recorder(
    output: str | os.PathLike[str] | None, plan: Mapping[str, Any]
) -> FileRecorder | MemoryRecorder:
    """Return what keeps the samples; with `output` they reach the disk case by case.

    Raises
    ------
    InvalidParameter
        When files cannot be written in the directory `output`.
    """
    document = new_document("live", live=dict(plan))
    if output is None:
        return MemoryRecorder(document)
    return start_file(absolute_path("output", output), document, ["live"])


def session_tree(
    case: LiveCase,
    session: Session,
    *,
    system: str,
    environment: Mapping[str, Any],
    warnings: Sequence[str],
    notes: Sequence[str],
    floor: Floor | None,
) -> dict[str, Any]:
    """Return the result of a case for the run file: one series per process.

    Its metric has no summary, since the samples are of two sides.
    """
    arms = [pair.arms[side] for pair in session.pairs for side in SIDES]
    status, reason = _status(session)
    verified = [arm.checked for arm in arms if arm.checked is not None]
    return tree_of(
        case,
        status,
        reason,
        metrics={"latency": {"unit": "ns", "better": "lower", "primary": True}},
        series=[series for pair in session.pairs for series in _series(pair, system)],
        warmup=arms[0].warmup if arms else None,
        verification={"checked": sum(verified), "passed": True} if verified else None,
        environment={name: environment.get(name) for name in _OF_THE_MACHINE},
        stopped_because="interrupted" if session.interrupted else session.stopped_because,
        warnings=list(warnings),
        notes=list(notes),
        **({} if floor is None else {"floor": floor_tree(floor)}),
    )


# The other counters are of the process that waits while its children work.
_OF_THE_MACHINE = (
    "seconds",
    "steal_percent",
    "other_load",
    "cpu_frequency",
    "throttling",
    "load_average",
    "gpu_utilization",
)


def _status(session: Session) -> tuple[Status, str | None]:
    if session.failure is not None:
        return "failed", f"{session.failure.side}: {session.failure}"
    if session.interrupted:
        return "interrupted", f"interrupted after {len(session.pairs)} pairs"
    if session.spent is not None and not session.pairs:
        return "skipped", f"the budget ended before the first pair: {session.spent.why}"
    return "ok", None


def _series(pair: Pair, system: str) -> list[dict[str, Any]]:
    return [
        {
            "system": system,
            "process": pair.arms[side].process,
            "arm": side,
            "pair": pair.number,
            "first": side == pair.first,
            "started_ns": pair.arms[side].started_ns,
            "batch": pair.arms[side].batch,
            "columns": {"latency": pair.arms[side].latency},
        }
        for side in SIDES
    ]
