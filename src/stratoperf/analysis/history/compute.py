"""From stored runs to trends with their change points."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

from stratoperf import arguments
from stratoperf.analysis.defaults import LEAST_CHANGE, STATISTIC
from stratoperf.analysis.history.change_points import find_change_points
from stratoperf.analysis.history.loading import DatedRun, load_runs, source_name
from stratoperf.analysis.history.model import History, Trend
from stratoperf.analysis.history.trends import Series, collect
from stratoperf.analysis.stored.sides import Stored
from stratoperf.analysis.verdicts import check_threshold
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.results.moments import moment_of
from stratoperf.results.schema import STATISTICS, Result

CHOICES = (*STATISTICS, "throughput")
"""What a history can show; throughput is the mean of that metric."""

ERROR = 0.01
"""The admissible probability of a false change point in a whole history: the goal of every gate of
this project (at most 1 % false alarms per invocation)."""


def history(
    stored: Stored,
    select: str | Iterable[str] | None = None,
    *,
    statistic: str = STATISTIC,
    since: str | datetime | None = None,
    threshold: float = LEAST_CHANGE,
    error: float = ERROR,
) -> History:
    """Show how each benchmark did over many stored runs, and where its level changed.

    Runs of different machines, or of different versions of a benchmark, are never mixed: each has
    a trend of its own. What cannot be read or is not a run of one version is left out and named. A
    run that is there twice (``latest.json``) counts once.

    Parameters
    ----------
    stored
        A directory of run files; or `Run` objects, run files and directories, also mixed.
    select
        Names of benchmarks, glob patterns such as ``"consensus.*"``, categories, or keys; ``None``
        for all.
    statistic
        ``"p50"``, ``"p95"``, ``"p99"``, ``"p999"``, ``"mean"`` (of the primary metric) or
        ``"throughput"``.
    since
        Ignores earlier runs: a moment, or its text in ISO 8601 (UTC unless it says otherwise).
    threshold
        Smallest change of level to report, as a fraction: 0.02 is 2 %.
    error
        Probability of any false change point; the trends share it by the method of Holm (1979).

    Returns
    -------
    History
        Without ruptures (the extra ``history``) the trends have no change points
        (``change_points`` is ``None``), and a warning says so.

    Raises
    ------
    SchemaError
        When no file can be read.
    InvalidParameter
        For an argument out of range, a selection of nothing, or a directory without runs.
    """
    if statistic not in CHOICES:
        raise InvalidParameter(
            f"statistic: {statistic!r} is unknown; {did_you_mean(statistic, CHOICES)}"
        )
    check_threshold(threshold)
    arguments.number("error", error, above=0.0, below=1.0)
    runs, left_out = load_runs(stored, _moment(since))
    series = collect(runs, statistic, _keys(runs, select))
    trends, method, missing = find_change_points(series, threshold, error)
    return History(
        source=source_name(stored, len(runs)),
        statistic=statistic,
        runs=len(runs),
        error=error,
        threshold=threshold,
        method=method,
        trends=tuple(trends),
        left_out=tuple(left_out),
        warnings=(*missing, *_mixtures(trends, series)),
    )


def _moment(since: str | datetime | None) -> datetime | None:
    if isinstance(since, datetime):
        return since if since.tzinfo is not None else since.replace(tzinfo=timezone.utc)
    if since is None:
        return None
    try:
        return moment_of(since)
    except ValueError:
        raise InvalidParameter(
            f"since: {since!r} is not an ISO 8601 time; write 2026-11-03 or 2026-11-03T09:30:00Z"
        ) from None


def _keys(runs: Sequence[DatedRun], select: str | Iterable[str] | None) -> set[str]:
    """Return the selected keys."""
    results = [result for dated in runs for result in dated.run.results]
    words = [select] if isinstance(select, str) else list(select or ())
    if not words:
        return {result.key for result in results}
    chosen: set[str] = set()
    for word in words:
        selected = {result.key for result in results if _selects(word, result)}
        if not selected:
            known = {
                name for result in results for name in (result.benchmark, result.category) if name
            }
            raise InvalidParameter(f"select: {word!r} selects nothing; {did_you_mean(word, known)}")
        chosen |= selected
    return chosen


def _selects(word: str, result: Result) -> bool:
    return word in (result.key, result.category) or fnmatch.fnmatchcase(result.benchmark, word)


def _mixtures(trends: Sequence[Trend], series: Sequence[Series]) -> list[str]:
    """Return warnings of what is in one history but hardly comparable."""
    warnings = []
    machines = {trend.machine: trend.machine_name for trend in trends}
    if len(machines) > 1:
        names = "; ".join(f"{name or 'unknown'} ({machine})" for machine, name in machines.items())
        warnings.append(
            f"the runs are of {len(machines)} machines, each with trends of its own: {names}"
        )
    versions: dict[tuple[str, str], set[str]] = {}
    for trend in trends:
        seen = versions.setdefault((trend.key, trend.machine), set())
        seen.add(str(trend.benchmark_version))
    changed = sorted({key for (key, _), seen in versions.items() if len(seen) > 1})
    if changed:
        warnings.append(
            f"{', '.join(changed)}: its versions are measured differently, so each has a trend of "
            "its own"
        )
    presets = sorted({run.preset for each in series for run in each.runs if run.preset})
    if len(presets) > 1:
        warnings.append(
            f"runs of the presets {', '.join(presets)} stand in the same trends; a change of the "
            "preset is named at the change points"
        )
    return warnings
