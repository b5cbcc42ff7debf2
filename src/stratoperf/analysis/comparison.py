"""What a comparison says: one verdict per result and metric, and all that was not compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from stratoperf import media
from stratoperf.results.schema import Better
from stratoperf.statistics import Estimate

Verdict = Literal["slower", "faster", "same", "inconclusive"]
Mode = Literal["live", "stored"]
Side = Literal["baseline", "current"]

VERDICTS: tuple[Verdict, ...] = ("slower", "inconclusive", "faster", "same")
"""The most serious first."""

COMPARISON_SCHEMA = "stratoperf.comparison/1"
"""What the JSON form of a comparison says under ``schema``."""


class ComparedMetric(msgspec.Struct, frozen=True, kw_only=True):
    """One statistic of one metric of one result, on both sides.

    Attributes
    ----------
    key
        Identity of the result, which both sides share; with two parameter sets or two commands,
        what they have in common.
    benchmark, backend, params
        What was measured.
    metric, statistic, unit, better
        Such as ``"latency"``, ``"p50"``, ``"ns"`` and ``"lower"``.
    judged
        Whether the comparison as a whole is judged by it; the others are for information.
    threshold
        As a fraction: 0.05 is 5 %.
    baseline, current
        The typical value of a process on each side (the location over processes), with its interval
        where there is one; ``None`` where nothing was measured.
    ratio
        How many times slower the current side is: current over baseline where lower is better,
        baseline over current where higher is better. ``None`` where it cannot be formed.
    effect
        The probability that the current side is the slower one when one process of each side is
        drawn (of one pair, in live mode), ties counted half: 0.5 is no effect, 1 is always
        slower (Vargha & Delaney's A, 2000). ``None`` without processes to draw from.
    verdict
        ``"slower"`` when the whole interval of the ratio lies above ``1 + threshold``,
        ``"faster"`` when below ``1 / (1 + threshold)``, ``"same"`` when between, else
        ``"inconclusive"``.
    why
        The reason for the verdict in words; of an inconclusive one, what would settle it.
    baseline_processes, current_processes
        How many processes of each side the interval rests on.
    pairs
        How many pairs in live mode, else ``None``.
    seconds
        How long it took to reach the verdict in live mode, else ``None``.
    """

    key: str
    benchmark: str
    backend: str
    metric: str
    statistic: str
    unit: str
    better: Better
    threshold: float
    verdict: Verdict
    why: str
    params: Mapping[str, Any] = {}
    judged: bool = True
    baseline: Estimate | None = None
    current: Estimate | None = None
    ratio: Estimate | None = None
    effect: float | None = None
    baseline_processes: int = 0
    current_processes: int = 0
    pairs: int | None = None
    seconds: float | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the two sides do not have in common, and that a reader must know.

    Attributes
    ----------
    what
        ``"only in baseline"``, ``"only in current"``, ``"params"``, ``"benchmark version"``,
        ``"status"``, ``"system"``, ``"preset"`` or ``"backend"``.
    key
        The result concerned, or ``None`` for the whole side.
    baseline, current
        In words; ``None`` where a side has nothing.
    compared
        Whether the result was compared anyway.
    """

    what: str
    key: str | None = None
    baseline: str | None = None
    current: str | None = None
    compared: bool = False


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A case that one side could not measure, or whose outcome was wrong there.

    Attributes
    ----------
    key
        The case.
    side
        Where it failed. On the current side it fails the gate; on the baseline alone the case is
        just not compared.
    why
        The reason in words.
    """

    key: str
    side: Side
    why: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two sides, compared result by result.

    Attributes
    ----------
    mode
        ``"live"``: both sides ran now, in pairs; ``"stored"``: they are run files.
    baseline, current
        What the sides are, in words.
    confidence
        Probability that all intervals together cover their true ratios.
    method
        How the intervals were found, with the source.
    metrics
        The judged ones first.
    differences
        What was not compared, or compared in spite of a difference.
    failures
        Cases that could not be measured on a side, or whose outcome was wrong; their verdict is
        ``"inconclusive"``.
    warnings
        In words, the most serious first.
    interrupted
        Whether Ctrl-C ended it; what it says rests on what was measured until then.
    run_path
        The run file with the raw samples of a live comparison, where it was saved.
    """

    mode: Mode
    baseline: str
    current: str
    confidence: float
    method: str
    metrics: tuple[ComparedMetric, ...] = ()
    differences: tuple[Difference, ...] = ()
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    interrupted: bool = False
    run_path: str | None = None

    @property
    def judged(self) -> tuple[ComparedMetric, ...]:
        """The metrics that the comparison is judged by."""
        return tuple(metric for metric in self.metrics if metric.judged)

    @property
    def verdict(self) -> Verdict:
        """The most serious verdict: ``slower``, then ``inconclusive``, ``faster`` and ``same``.

        Where nothing was compared it is ``inconclusive``.
        """
        present = {metric.verdict for metric in self.judged}
        return next((verdict for verdict in VERDICTS if verdict in present), "inconclusive")

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain JSON types; ``schema`` names their layout."""
        tree: dict[str, Any] = msgspec.to_builtins(self)
        return {"schema": COMPARISON_SCHEMA, "verdict": self.verdict, **tree}

    def plot(self) -> media.Picture:
        """Draw the ratio of each metric with its interval, beside the threshold.

        Raises
        ------
        InvalidParameter
            When no metric has a ratio.
        """
        return media.picture(self)

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"<Comparison, {self.mode}: {tally(self)}{failed}>"

    def __str__(self) -> str:
        return media.plain_text(self)

    def _repr_html_(self) -> str:
        return media.html(self)


def metrics_with_verdicts(comparison: Comparison) -> list[ComparedMetric]:
    """Return the judged metrics, without those that a failure stands for."""
    failed = {failure.key for failure in comparison.failures}
    return [
        metric
        for metric in comparison.judged
        if metric.key not in failed or metric.ratio is not None
    ]


def tally(comparison: Comparison) -> str:
    """Return how many metrics have which verdict, such as ``1 slower, 2 same``."""
    present = [metric.verdict for metric in metrics_with_verdicts(comparison)]
    counts = {verdict: present.count(verdict) for verdict in VERDICTS if verdict in present}
    return ", ".join(f"{n} {verdict}" for verdict, n in counts.items()) or "nothing was compared"
