"""What a report is about: the newest result of each case, with its history and its baseline."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from stratoperf.analysis.comparison import ComparedMetric, Comparison
from stratoperf.analysis.history import history
from stratoperf.analysis.history.model import History, LeftOut, Trend
from stratoperf.analysis.stored.compare_runs import compare
from stratoperf.analysis.stored.sides import is_live
from stratoperf.analysis.stored.sources import is_folder, load_folder
from stratoperf.errors import InvalidParameter
from stratoperf.presentation.charts.samples import Sampled, distinct_texts, samples_of_result
from stratoperf.results import Run, load
from stratoperf.results.moments import moment_of
from stratoperf.results.schema import Result
from stratoperf.running.claims_table import ClaimRow, claims

Source: TypeAlias = "Run | str | os.PathLike[str]"

_NAME = re.compile(r"[^A-Za-z0-9.]+")
_LONGEST_NAME = 80


class Case(NamedTuple):
    """One case of the report.

    Attributes
    ----------
    id
        Its name in links to it.
    text
        The parameters, and the backend, that tell it from the other cases of its benchmark; all of
        them where it is alone.
    run, result
        The newest result, and the run that it is of.
    compared
        Its metrics in the comparison with the baseline.
    baseline
        Its samples in the baseline, where there are any.
    trend
        Its history, where several runs have it.
    """

    id: str
    text: str
    run: Run
    result: Result
    compared: tuple[ComparedMetric, ...] = ()
    baseline: Sampled | None = None
    trend: Trend | None = None

    @property
    def sampled(self) -> Sampled | None:
        """Read the samples of its primary metric, of a live comparison those of its own side."""
        return samples_of_result(self.result, "current" if is_live(self.run) else None)

    @property
    def verdict(self) -> str | None:
        """Return the verdict of the comparison, the most serious of several."""
        present = {metric.verdict for metric in self.compared if metric.judged}
        return next((v for v in ("slower", "inconclusive", "faster", "same") if v in present), None)

    @property
    def is_quiet(self) -> bool:
        """Return whether a reader in a hurry need not see it."""
        if self.result.status in ("failed", "interrupted") or self.has_missed:
            return False
        return self.result.status == "skipped" or self.verdict == "same"

    @property
    def has_missed(self) -> bool:
        """Return whether it missed a target."""
        metrics = self.result.metrics.values()
        return any(metric.target and metric.target.verdict == "missed" for metric in metrics)


class Subject(NamedTuple):
    """All that a report shows.

    Attributes
    ----------
    runs
        The newest last.
    cases
        By the order of the newest run, then those of earlier ones.
    claims
        With the verdict of the newest run that has one.
    comparison
        With the baseline, or ``None``.
    left_out
        Files and runs that the report does not show, with the reason.
    warnings
        Of the history.
    """

    runs: Sequence[Run]
    cases: Sequence[Case]
    claims: Sequence[ClaimRow]
    comparison: Comparison | None = None
    left_out: Sequence[LeftOut] = ()
    warnings: Sequence[str] = ()

    @property
    def newest(self) -> Run:
        """Return the newest run."""
        return self.runs[-1]

    def benchmarks(self) -> Mapping[str, Sequence[Case]]:
        """Return the cases by the name of their benchmark."""
        groups: dict[str, list[Case]] = {}
        for case in self.cases:
            groups.setdefault(case.result.benchmark, []).append(case)
        return groups


def subject_of(sources: Iterable[Source], baseline: Source | None = None) -> Subject:
    """Load runs, and put together what a report shows.

    Parameters
    ----------
    sources
        Runs, run files, journals or directories of run files.
    baseline
        A run, a run file or a directory of run files.

    Raises
    ------
    SchemaError
        When a file that was named cannot be read.
    InvalidParameter
        When a path does not exist, or there is no run.
    """
    left_out: list[LeftOut] = []
    runs = _runs(sources, left_out)
    newest: dict[str, tuple[Run, Result]] = {}
    for run in reversed(runs):
        for result in run.results:
            newest.setdefault(result.key, (run, result))
    past = history(runs) if len(runs) > 1 else None
    comparison = _compared(runs, baseline)
    return Subject(
        runs,
        _cases(newest, past, comparison, baseline),
        _claims(runs),
        comparison,
        left_out,
        past.warnings if past else (),
    )


def _runs(sources: Iterable[Source], left_out: list[LeftOut]) -> list[Run]:
    runs: dict[str, Run] = {}
    for source in sources:
        for run in _loaded(source, left_out):
            runs.setdefault(run.id, run)
    if len(runs) > 1:
        for run in [run for run in runs.values() if is_live(run)]:
            why = "a live comparison has a report of its own: name it alone"
            left_out.append(LeftOut(str(run.path or run.id), why))
            del runs[run.id]
    if not runs:
        raise InvalidParameter(
            "input: there is no run to report; measure first: "
            "stratoperf run consensus.round --quick"
        )
    return sorted(runs.values(), key=lambda run: moment_of(run.created))


def _loaded(source: Source, left_out: list[LeftOut]) -> list[Run]:
    if isinstance(source, Run):
        return [source]
    path = Path(source)
    if not path.exists():
        raise InvalidParameter(
            f"input: {path} does not exist; give a run file, or a folder of them"
        )
    if not is_folder(path):
        return [load(path)]
    folder = load_folder(path, "input")
    left_out += [LeftOut(str(file), why) for file, why in folder.unreadable]
    if not folder.runs:
        raise InvalidParameter(
            f"input: there is no run file in {path}; stratoperf run --output {path} writes one"
        )
    return folder.runs


def _compared(runs: Sequence[Run], baseline: Source | None) -> Comparison | None:
    """Compare the newest run; all runs together show how far the machine drifts."""
    newest = runs[-1]
    if baseline is None:
        return compare(newest, newest) if is_live(newest) else None
    if not isinstance(baseline, Run) and not Path(baseline).exists():
        raise InvalidParameter(
            f"baseline: {baseline} does not exist; give a run file, or a folder of them"
        )
    return compare(baseline, newest, history=runs if len(runs) > 1 else None)


def _cases(
    newest: Mapping[str, tuple[Run, Result]],
    past: History | None,
    comparison: Comparison | None,
    baseline: Source | None,
) -> list[Case]:
    compared: dict[str, list[ComparedMetric]] = {}
    for metric in comparison.metrics if comparison else ():
        compared.setdefault(metric.key, []).append(metric)
    trends = {trend.key: trend for trend in past.trends} if past else {}
    before = _baseline_results(baseline)
    ids: set[str] = set()
    texts = distinct_texts([result for _, result in newest.values()])
    return [
        Case(
            _unique(key, ids),
            texts[key],
            run,
            result,
            tuple(compared.get(key, ())),
            _baseline_samples(run, result, before.get(key)),
            trends.get(key),
        )
        for key, (run, result) in newest.items()
    ]


def _baseline_samples(run: Run, result: Result, before: Result | None) -> Sampled | None:
    if is_live(run):
        return samples_of_result(result, "baseline")
    return None if before is None else samples_of_result(before)


def _baseline_results(baseline: Source | None) -> dict[str, Result]:
    """Return the newest results of a baseline, to draw them beside those of the run."""
    if baseline is None:
        return {}
    runs = sorted(_loaded(baseline, []), key=lambda run: moment_of(run.created))
    return {result.key: result for run in runs for result in run.results}


def _unique(key: str, taken: set[str]) -> str:
    """Return a name for links, made of a key."""
    name = _NAME.sub("-", key)[:_LONGEST_NAME].strip("-") or "case"
    number = 1
    unique = name
    while unique in taken:
        number += 1
        unique = f"{name}-{number}"
    taken.add(unique)
    return unique


def _claims(runs: Sequence[Run]) -> list[ClaimRow]:
    """Return each claim with what the newest run says that measured it."""
    rows: dict[tuple[str, str, str], ClaimRow] = {}
    for run in reversed(runs):
        for row in claims(run).rows:
            identity = (row.component, row.metric, row.target)
            known = rows.get(identity)
            if known is None or (known.measured is None and row.measured is not None):
                rows[identity] = row
    return list(rows.values())
