"""What a history says: a trend for each benchmark and machine, and all that is not part of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from stratoperf import media
from stratoperf.results.schema import Better
from stratoperf.results.storage import finite
from stratoperf.statistics import Estimate
from stratoperf.text.safety import log_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HISTORY_SCHEMA = "stratoperf.history/1"
"""What the JSON form of a history says under ``schema``."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What one run says of one benchmark.

    Attributes
    ----------
    run, created, path
        Which run: its id, when it was taken (ISO 8601, UTC), and its file where it has one.
    preset, stratoperf_version
        How and with what it was measured.
    estimate
        The value with the interval that the processes of this run give, or the samples of a single
        process; the bounds are ``None`` where there is none. ``None`` for a gap.
    gap
        Why there is no value, else ``None``.
    """

    run: str
    created: str
    path: str | None = None
    preset: str | None = None
    stratoperf_version: str | None = None
    estimate: Estimate | None = None
    gap: str | None = None


class ChangePoint(msgspec.Struct, frozen=True, kw_only=True):
    """A moment from which on a benchmark is faster or slower than before.

    Attributes
    ----------
    index
        Index in `Trend.moments` of the first moment of the new level.
    run, created, path
        The run at that moment.
    previous_run
        The last run of the level before: the change came in between.
    before, after
        Medians of the runs from the last change point to this one, and from it to the next.
    ratio
        How many times slower the new level is; below 1 it is faster.
    significance
        The probability of such a change where there is none, counted over all places of this
        series where it could have been.
    also_changed
        What else is new since the run before, in words: the kernel, Python, the preset and so on.
    """

    index: int
    run: str
    created: str
    previous_run: str
    before: float
    after: float
    ratio: float
    significance: float
    path: str | None = None
    also_changed: tuple[str, ...] = ()


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """One statistic of one benchmark over time, on one machine.

    Attributes
    ----------
    key, benchmark, benchmark_version, category, backend, params
        What was measured. Another version of a benchmark is another trend.
    machine, machine_name
        Identity and processor of the machine. Another machine is another trend.
    metric, statistic, unit, better
        Such as ``"latency"``, ``"p50"``, ``"ns"`` and ``"lower"``.
    moments
        One for each run that has the key, in the order taken.
    change_points
        In order; ``None`` where they were not looked for.
    not_searched
        Why they were not looked for, else ``None``.
    scatter
        How far runs of the same level lie apart: a robust standard deviation (from the median
        absolute deviation) as a fraction of the level. ``None`` with fewer than five values.
    first, last
        Medians of the first and of the last five values (of fewer where there are less than ten);
        ``None`` without any value.
    ratio
        How many times slower `last` is than `first`, change points or not.
    """

    key: str
    benchmark: str
    backend: str
    machine: str
    metric: str
    statistic: str
    unit: str
    better: Better
    benchmark_version: int | str | None = None
    category: str | None = None
    params: Mapping[str, Any] = {}
    machine_name: str = ""
    moments: tuple[Moment, ...] = ()
    change_points: tuple[ChangePoint, ...] | None = None
    not_searched: str | None = None
    scatter: float | None = None
    first: float | None = None
    last: float | None = None
    ratio: float | None = None

    @property
    def values(self) -> tuple[float, ...]:
        """The values in the order taken, without the gaps."""
        return tuple(
            moment.estimate.value for moment in self.moments if moment.estimate is not None
        )

    @property
    def gaps(self) -> tuple[Moment, ...]:
        """The moments without a value."""
        return tuple(moment for moment in self.moments if moment.estimate is None)


class LeftOut(msgspec.Struct, frozen=True):
    """A file or run that is not part of the history, and why."""

    what: str
    why: str


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Many stored runs, benchmark by benchmark.

    Attributes
    ----------
    source
        Where the runs are, in words.
    statistic
        What was asked for: ``"p50"``, ``"p95"``, ``"p99"``, ``"p999"``, ``"mean"`` or
        ``"throughput"``.
    runs
        How many runs there are, each counted once.
    error
        The admissible probability of any change point in the whole history where nothing changed.
    threshold
        The least change that counts, as a fraction.
    method
        How change points were found.
    trends
        In the order of the runs.
    left_out
        Files that cannot be read, live comparisons, runs without a date.
    warnings
        In words.
    """

    source: str
    statistic: str
    runs: int
    error: float
    threshold: float
    method: str
    trends: tuple[Trend, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the history as plain JSON types; ``schema`` names their layout."""
        # Bounds of runs that were never saved may be infinite, for which JSON has no word.
        tree: dict[str, Any] = finite(msgspec.to_builtins(self))
        return {"schema": HISTORY_SCHEMA, **tree}

    def plot(self) -> Figure:
        """Draw each trend with its intervals, levels and change points; one panel each.

        Raises
        ------
        PrerequisiteMissing
            Without matplotlib, which is in the extra ``plot``.
        InvalidParameter
            When no trend has a value.
        """
        return media.figure(self)

    def __repr__(self) -> str:
        changes = sum(len(trend.change_points or ()) for trend in self.trends)
        return log_line(
            f"<History of {self.source}: {self.runs} runs, {len(self.trends)} trends, "
            f"{changes} change points>"
        )

    def _repr_html_(self) -> str:
        return media.html(self)
