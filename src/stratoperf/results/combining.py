"""The result of a case from its parts: what each of several processes measured.

A part is a result of one process. The result of the case has the same form; its estimates are over
processes (`stratoperf.statistics.processes`), its counts and times are sums, and what disturbed it
is that of the process that was disturbed most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec

from stratoperf.errors import SchemaError
from stratoperf.results.combined_environment import combined_environment
from stratoperf.results.combined_metrics import combined_metric, variation
from stratoperf.results.machine_speeds import Speeds
from stratoperf.results.part_seconds import without_seconds
from stratoperf.results.process_result import ProcessResult, Tree
from stratoperf.results.schema import STATISTICS, Metric
from stratoperf.results.validation import read_result
from stratoperf.statistics.estimates import THIS_PROCESS
from stratoperf.text.alike_warnings import NUMBER

# The weakest reason first: the result is as good as its worst part.
_STOPS = ("interrupted", "max_duration", "max_samples", "max_iterations", "precision")


def combined(
    parts: Sequence[Tree],
    *,
    base: Path | None = None,
    reading: str = "integer",
    usual: float | None = None,
    earlier: Sequence[float] = (),
) -> Tree:
    """Return the result of a case from what its processes measured.

    Parameters
    ----------
    parts
        Results of one process each, of one case, at least one. Columns may be arrays or
        references, and are passed through.
    base
        What references are relative to. Where they cannot be read, the tail of a case with few
        samples in each process is that of its processes, which lies too low; its method says so.
    reading
        Which of the machine's speeds in ``environment.reference`` the value at reference speed is
        divided by.
    usual
        The usual reading of the run; by default that of these parts.
    earlier
        The same reading beside other processes on this machine, from which it is known how far its
        speed moves.

    Returns
    -------
    dict
        With ``variation`` for several parts. The estimates of a single part are as they were, of
        the scope ``"this process"``. Of several, no metric has a verdict, and ``below_standard`` is
        empty: these belong to what judges the whole, as does whether it was disturbed.

    Raises
    ------
    SchemaError
        When there are no parts, when one is not a result, or not of the same case as the others.
    """
    if not parts:
        raise SchemaError("parts: expected at least one process, got none")
    read = [
        ProcessResult(without_seconds(tree), read_result(tree, f"parts[{index}]", base))
        for index, tree in enumerate(parts)
    ]
    _check_same_case(read)
    if len(read) == 1:
        return _of_one(read[0])
    speeds = Speeds(read, reading, usual, earlier)
    # The order in which they are given must not matter.
    read.sort(key=lambda part: (part.started_ns, part.process or ""))
    notes = _united([part.result.notes for part in read])
    metrics: dict[str, Metric] = {}
    for name in dict.fromkeys(name for part in read for name in part.result.metrics):
        metrics[name], left_out = combined_metric(name, read, speeds)
        notes += left_out
    first = read[0].tree
    return {
        **first,
        "below_standard": [],
        "source": read[-1].result.source,
        "metrics": {name: msgspec.to_builtins(metric) for name, metric in metrics.items()},
        "series": [series for part in read for series in part.tree.get("series", [])],
        "warmup": _warmup(read),
        "verification": _verification(read),
        "environment": combined_environment([part.result.environment for part in read]),
        "processes": [_in_short(part) for part in read],
        "variation": msgspec.to_builtins(variation(read, metrics)),
        "stopped_because": _stop(read),
        "disturbed": None,
        "warnings": _united([part.result.warnings for part in read]),
        "notes": notes + _earlier_source(read) + _differing_details(read),
    }


def _check_same_case(parts: Sequence[ProcessResult]) -> None:
    first = parts[0].result
    for index, part in enumerate(parts):
        for name in ("key", "benchmark_version"):
            expected, actual = getattr(first, name), getattr(part.result, name)
            if actual != expected:
                raise SchemaError(
                    f"parts[{index}].{name}: expected {expected!r} as in the first part, got "
                    f"{actual!r}"
                )


def _of_one(part: ProcessResult) -> Tree:
    """Return a single part with its scope; nothing is made up about other processes."""
    metrics = {}
    for name, metric in part.result.metrics.items():
        tree = dict(part.tree["metrics"][name])
        if metric.summary is not None:
            tree["summary"] = {
                **tree["summary"],
                "processes": 1,
                "scope": THIS_PROCESS,
                "at_reference_speed": None,
            }
        metrics[name] = tree
    return {**part.tree, "metrics": metrics}


def _warmup(parts: Sequence[ProcessResult]) -> Tree | None:
    own = [part.result.warmup for part in parts if part.result.warmup is not None]
    if not own:
        return None
    return {
        "seconds": sum(warmup.seconds for warmup in own),
        "iterations": sum(warmup.iterations for warmup in own),
    }


def _verification(parts: Sequence[ProcessResult]) -> Tree | None:
    own = [part.result.verification for part in parts if part.result.verification is not None]
    if not own:
        return None
    return {
        "checked": sum(check.checked for check in own),
        "passed": all(check.passed for check in own),
    }


def _stop(parts: Sequence[ProcessResult]) -> str | None:
    reasons = {part.result.stopped_because for part in parts}
    known = [reason for reason in _STOPS if reason in reasons]
    return next(iter([*known, *sorted(reason for reason in reasons if reason)]), None)


def _united(sentences: Sequence[Sequence[str]]) -> list[str]:
    """Return sentences once each, with how many processes they concern.

    Those that differ in their numbers alone are one; it stands with the largest.
    """
    groups: dict[str, list[tuple[list[float], str]]] = {}
    for own in sentences:
        # A sentence counts once for each process.
        for sentence in {NUMBER.sub("#", sentence): sentence for sentence in own}.values():
            numbers = [float(number) for number in NUMBER.findall(sentence)]
            groups.setdefault(NUMBER.sub("#", sentence), []).append((numbers, sentence))
    united = []
    for group in groups.values():
        worst = max(group)[1]
        if len(group) == len(sentences) and len({number for _, number in group}) == 1:
            united.append(worst)
        else:
            united.append(f"{worst} ({_of(len(group), len(sentences))})")
    return united


def _of(count: int, total: int) -> str:
    """Return how many of the processes in words."""
    return f"the worst of {total} processes" if count == total else f"{count} of {total} processes"


def _earlier_source(parts: Sequence[ProcessResult]) -> list[str]:
    """Return a note where the file of the benchmark changed while a run was interrupted."""
    # Parts without one are of a version that did not tell it.
    known = [part.result.source for part in parts if part.result.source is not None]
    earlier = sum(source != known[-1] for source in known)
    if not earlier:
        return []
    return [
        f"{earlier} of {len(parts)} processes were measured before the file that declares the "
        "benchmark was changed; start a new run if the change matters"
    ]


def _differing_details(parts: Sequence[ProcessResult]) -> list[str]:
    """Return a note where processes worked in different ways."""
    names = dict.fromkeys(name for part in parts for name in part.result.details)
    differing = [
        name
        for name in names
        if any(part.result.details.get(name) != parts[0].result.details.get(name) for part in parts)
    ]
    if not differing:
        return []
    return [
        f"details differ between the processes, and are those of the first: {', '.join(differing)}"
    ]


def in_short(parts: Sequence[Tree], base: Path | None = None) -> list[Tree]:
    """Return what single processes measured without their samples, for ``Result.left_out``.

    Parameters
    ----------
    parts, base
        As for `combined`.
    """
    return [
        _in_short(ProcessResult(tree, read_result(tree, f"parts[{index}]", base)))
        for index, tree in enumerate(parts)
    ]


def _in_short(part: ProcessResult) -> Tree:
    """Return what a reader needs of one process to see where the variation is."""
    metrics = {
        name: {
            statistic: estimate.value
            for statistic in STATISTICS
            if (estimate := metric.statistic(statistic)) is not None
        }
        for name, metric in part.result.metrics.items()
    }
    return {
        "process": part.process,
        "started_ns": None if math.isinf(part.started_ns) else part.started_ns,
        "disturbed": part.result.disturbed,
        "warmup": part.tree.get("warmup"),
        "environment": dict(part.result.environment),
        "metrics": metrics,
    }
