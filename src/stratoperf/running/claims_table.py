"""The published claims, each judged by a run."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from stratoperf import media
from stratoperf.errors import InvalidParameter
from stratoperf.results.run import Run
from stratoperf.results.schema import Result, Verdict
from stratoperf.running import registry
from stratoperf.running.categories import IMPORTED
from stratoperf.running.contributions import Claim
from stratoperf.running.targets import SEVERITY, Target
from stratoperf.running.unit_conversion import conversion
from stratoperf.statistics import Estimate

TAILS = ("p95", "p99", "p999")
"""Statistics that a mean over a batch hides."""


class ClaimRow(msgspec.Struct, frozen=True, kw_only=True):
    """One published claim and what a run says about it.

    Attributes
    ----------
    component, metric, target, published
        As published; `target` is its text.
    measured
        The judged statistic with its interval, in `unit`, or ``None``. It is also shown where
        the claim does not apply, such as a value of the CPU beside a claim about a GPU.
    unit
        Unit of `measured`, or ``None``.
    verdict, why
        How the claim fares, and the reason in words.
    benchmark, key
        The benchmark that measures it, and the case that `measured` is of.
    """

    component: str
    metric: str
    target: str
    published: str
    verdict: Verdict
    why: str
    measured: Estimate | None = None
    unit: str | None = None
    benchmark: str | None = None
    key: str | None = None


class ClaimsTable(msgspec.Struct, frozen=True, kw_only=True):
    """The published claims, each with a verdict; renders itself in a notebook."""

    rows: tuple[ClaimRow, ...]

    def to_json(self) -> str:
        """Return the rows as a JSON list of objects."""
        return msgspec.json.encode(self.rows).decode()

    def _repr_html_(self) -> str:
        return media.html(self)


def claims(run: Run) -> ClaimsTable:
    """Hold a run against the claims of the packages whose benchmarks it has.

    Parameters
    ----------
    run
        As `stratoperf.run` or `stratoperf.load` returns it.

    Returns
    -------
    ClaimsTable
        One row per claim; all that are known here for a run without results. A claim applies only
        where it says so (a GPU claim needs the backend ``cuda``); elsewhere the value is shown and
        the verdict is ``not-measured``. Of several results that a claim speaks of, the one least
        favorable to it is judged.
    """
    names = {result.benchmark for result in run.results}
    known = registry.REGISTRY.contributed(Claim)
    packages = {claim.package for claim in known if claim.benchmark in names} | {
        benchmark.package for benchmark in registry.REGISTRY.all() if benchmark.name in names
    }
    shown = [claim for claim in known if not names or claim.package in packages]
    return ClaimsTable(rows=tuple(_row(claim, run.results) for claim in shown))


def all_claims(run: Run) -> ClaimsTable:
    """Hold a run against all claims that are known here; see `claims`."""
    known = registry.REGISTRY.contributed(Claim)
    return ClaimsTable(rows=tuple(_row(claim, run.results) for claim in known))


def _row(claim: Claim, results: Iterable[Result]) -> ClaimRow:
    candidates = [
        row
        for result in results
        if result.benchmark == claim.benchmark and claim.target is not None
        for row in [_judged(claim, claim.target, result)]
    ]
    if candidates:
        return min(candidates, key=lambda row: _precedence(claim, row))
    if claim.benchmark is None:
        return _plain(claim, "no benchmark measures it yet")
    return _plain(claim, f"the run does not contain {claim.benchmark}")


def _judged(claim: Claim, target: Target, result: Result) -> ClaimRow:
    """Return the row for a single result."""
    row = msgspec.structs.replace(_plain(claim, ""), key=result.key)
    if result.status != "ok":
        why = f"{result.key} is {result.status}: {result.reason or 'no reason is known'}"
        return msgspec.structs.replace(row, why=why)
    metric = result.metrics.get(target.metric)
    estimate = metric.statistic(target.statistic_name) if metric else None
    if metric is None or estimate is None:
        return msgspec.structs.replace(row, why=f"{result.key} has no {target.statistic}")
    try:
        factor = conversion(metric.unit, target.unit)
    except InvalidParameter as error:
        return msgspec.structs.replace(row, why=str(error))
    row = msgspec.structs.replace(row, measured=estimate.scaled(factor), unit=target.unit)
    mismatch = target.mismatch({**result.params, "backend": result.backend})
    if mismatch is not None:
        return msgspec.structs.replace(row, why=mismatch)
    if target.statistic_name in TAILS and _has_imported_means(result):
        why = f"{target.statistic_name} of means over batches is not that of single events"
        return msgspec.structs.replace(row, why=f"{why}; import a file with single events")
    judgment = target.judge_metric(metric, result.disturbed)
    return msgspec.structs.replace(row, verdict=judgment.verdict, why=judgment.why)


def _has_imported_means(result: Result) -> bool:
    """Tell whether another tool measured batches of a size that we did not choose.

    Our own batches are of operations that are too short for the clock.
    """
    return result.category == IMPORTED and any(
        series.kind == "batch_mean" for series in result.series
    )


def _precedence(claim: Claim, row: ClaimRow) -> tuple[int, int, int, float]:
    """Order rows: verdicts before none, the closest case, then the least favorable value."""
    strictness = len(row.why.split(" and ")) if row.verdict == "not-measured" else 0
    value = 0.0 if row.measured is None else row.measured.value
    lower_is_better = claim.target is None or claim.target.direction.startswith("<")
    return (
        SEVERITY.index(row.verdict),
        row.measured is None,
        strictness,
        -value if lower_is_better else value,
    )


def _plain(claim: Claim, why: str) -> ClaimRow:
    return ClaimRow(
        component=claim.component,
        metric=claim.metric,
        target=claim.text,
        published=claim.published,
        verdict="not-measured",
        why=why,
        benchmark=claim.benchmark,
    )
