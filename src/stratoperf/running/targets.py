"""Targets: claims about a metric, and the verdict on a measured value."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from stratoperf import arguments
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.results.schema import STATISTICS, Metric, TargetVerdict, Verdict
from stratoperf.running.unit_conversion import conversion, depends_on_speed
from stratoperf.statistics import Estimate
from stratoperf.statistics.estimates import THIS_PROCESS

_HOLDS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)

SEVERITY: tuple[Verdict, ...] = ("missed", "inconclusive", "met", "not-measured")
"""Verdicts, the one that needs attention first."""

OTHER_PROCESS = 2.0
"""How far another process may be from a single measured one, as a factor, though neither waited
for a CPU. The host of a cloud machine moved medians by 81 % within a minute; rounded up."""


class Judgment(NamedTuple):
    """A verdict and the reason for it, in words."""

    verdict: Verdict
    why: str


@dataclasses.dataclass(frozen=True)
class Target:
    """A claim about one statistic of a metric, such as ``latency.p95 < 100 us``.

    Parameters
    ----------
    statistic
        ``"METRIC.STATISTIC"`` with one of ``mean``, ``p50``, ``p95``, ``p99`` and ``p999``; the
        name of a metric alone means its mean, which of a rate is all items over all time.
    direction
        ``"<"``, ``"<="``, ``">"`` or ``">="``.
    value, unit
        What the statistic is compared with. The unit may differ from the metric's by a factor.
    where
        Parameters, and ``backend``, that the claim speaks of; elsewhere its verdict is
        ``not-measured``.

    Raises
    ------
    InvalidParameter
        For an unknown statistic or direction, or a value that is not a finite number.

    Examples
    --------
    >>> str(Target("latency.p95", "<", 100, "us", where={"backend": "cuda"}))
    'latency.p95 < 100 us'
    """

    statistic: str
    direction: str
    value: float
    unit: str
    where: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.metric or self.statistic_name not in STATISTICS:
            raise InvalidParameter(
                f"statistic: {self.statistic!r} names no statistic; write METRIC.STATISTIC; "
                f"{did_you_mean(self.statistic_name, STATISTICS)}"
            )
        if self.direction not in _HOLDS:
            raise InvalidParameter(
                f"direction: {self.direction!r} is unknown; known: {', '.join(_HOLDS)}"
            )
        arguments.number("value", self.value)
        object.__setattr__(self, "where", MappingProxyType(dict(self.where)))

    @property
    def metric(self) -> str:
        """The name of the metric."""
        return self.statistic.partition(".")[0]

    @property
    def statistic_name(self) -> str:
        """The statistic of the metric: ``"p95"`` of ``"latency.p95"``."""
        return self.statistic.partition(".")[2] or "mean"

    def __str__(self) -> str:
        return f"{self.statistic} {self.direction} {self.value:g} {self.unit}"

    def mismatch(self, facts: Mapping[str, Any]) -> str | None:
        """Return why the claim does not apply to a case, or ``None`` when it does.

        Parameters
        ----------
        facts
            The parameters of the case, and its ``backend``.
        """
        differing = [name for name, value in self.where.items() if facts.get(name) != value]
        if not differing:
            return None
        wanted = " and ".join(f"{name} {self.where[name]}" for name in differing)
        actual = " and ".join(
            str(facts[name]) if name in facts else f"without {name}" for name in differing
        )
        return f"the claim speaks of {wanted}; this is {actual}"

    def judge(
        self,
        estimate: Estimate,
        unit: str,
        *,
        scope: str | None = None,
        disturbed: str | None = None,
    ) -> Judgment:
        """Judge a measured statistic by its whole confidence interval.

        Parameters
        ----------
        estimate
            The statistic, in `unit`.
        unit
            The metric's unit.
        scope
            What the interval speaks of, ``"8 processes"`` or ``"this process"``; ``None`` in files
            of before there were several processes.
        disturbed
            What disturbed the processes that the estimate rests on, or ``None``.

        Returns
        -------
        Judgment
            ``met`` when the whole interval is on the right side, ``missed`` when it is wholly
            on the other side, ``inconclusive`` when it straddles the target or the side that
            would decide does not exist.

            The interval of a single process does not cover the next process. Of times and rates
            it must be on its side by a factor of `OTHER_PROCESS`: what is missed by a factor of 90
            is missed, what is met by a tenth is open. An estimate of disturbed processes is always
            ``inconclusive``, and the reason begins with ``disturbed:``.

        Raises
        ------
        InvalidParameter
            When the units are of different quantities.
        """
        factor = conversion(unit, self.unit)
        low, high = (
            None if side is None else side * factor for side in (estimate.low, estimate.high)
        )
        if disturbed is not None:
            value = f"{estimate.value * factor:.4g} {self.unit}"
            return Judgment(
                "inconclusive",
                f"disturbed: {disturbed}; {value} is not judged; measure again on a quiet machine",
            )
        is_single = scope == THIS_PROCESS
        over = "" if is_single or scope is None else f" over {scope}"
        share = f"{estimate.confidence:.0%} interval{over}"
        if low is None and high is None:
            things, remedy = (
                ("processes", "measure in more")
                if over
                else ("independent samples", "measure longer, on a quieter machine")
            )
            return Judgment("inconclusive", f"too few {things} for a {share}; {remedy}")
        verdict = self._verdict(low, high)
        words = self._words(verdict, low, high, share)
        if not is_single:
            return Judgment(verdict, words)
        words += "; it speaks of this process only"
        if verdict == "inconclusive" or not depends_on_speed(unit):
            return Judgment(verdict, words)
        words += f", and another may be a factor of {OTHER_PROCESS:g} away"
        wider = self._verdict(
            None if low is None else low / OTHER_PROCESS,
            None if high is None else high * OTHER_PROCESS,
        )
        if wider == "inconclusive":
            words += "; measure an importable benchmark in several processes (--processes 6)"
        return Judgment(wider, words)

    def judge_metric(self, metric: Metric, disturbed: str | None) -> Judgment:
        """Judge the statistic of a metric as a result has it.

        Parameters
        ----------
        metric
            With the statistic, its unit, and the scope of its summary.
        disturbed
            As the result tells.

        Returns
        -------
        Judgment
            ``not-measured`` where the statistic is missing or of another quantity.
        """
        estimate = metric.statistic(self.statistic_name)
        if estimate is None:
            return Judgment("not-measured", f"there is no {self.statistic_name}")
        scope = None if metric.summary is None else metric.summary.scope
        try:
            return self.judge(estimate, metric.unit, scope=scope, disturbed=disturbed)
        except InvalidParameter as error:
            return Judgment("not-measured", str(error))

    def _verdict(self, low: float | None, high: float | None) -> Verdict:
        """Return what an interval says, in the target's unit."""
        lower_is_better = self.direction.startswith("<")
        # The side that must hold for all of the interval to hold, and the opposite one.
        worst, best = (high, low) if lower_is_better else (low, high)
        holds = _HOLDS[self.direction]
        if worst is not None and holds(worst, self.value):
            return "met"
        if best is not None and not holds(best, self.value):
            return "missed"
        return "inconclusive"

    def _words(self, verdict: Verdict, low: float | None, high: float | None, share: str) -> str:
        """Return what an interval says, in words."""
        text = f"{share}, {_side(low)} to {_side(high)} {self.unit},"
        if verdict == "met":
            return f"the whole {text} is {self._wording}"
        if verdict == "missed":
            return f"none of the {text} is {self._wording}"
        if low is None or high is None:
            side = "upper" if high is None else "lower"
            return f"the {text} has no {side} end; more samples give it one"
        return f"the {text} straddles {self.value:g}"

    def verdict(self, judgment: Judgment) -> TargetVerdict:
        """Return the target with its verdict, as the run file holds it."""
        fields = {
            "statistic": self.statistic_name,
            "direction": self.direction,
            "value": float(self.value),
            "unit": self.unit,
            "verdict": judgment.verdict,
            "why": judgment.why,
        }
        return msgspec.convert(fields, TargetVerdict)

    @property
    def _wording(self) -> str:
        return f"{self.direction} {self.value:g} {self.unit}"


def most_severe(verdicts: list[TargetVerdict]) -> TargetVerdict | None:
    """Return the verdict that needs attention first, or ``None`` for an empty list."""
    return min(verdicts, key=lambda verdict: SEVERITY.index(verdict.verdict), default=None)


def _side(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
