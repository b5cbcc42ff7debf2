"""The types of a run file, ``stratoperf.run/1``: read-only views of its JSON tree.

A view holds what this version of stratoperf understands. The tree itself stays the authoritative
form (see `Run.document`), so that keys of later versions survive loading and saving.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from stratoperf import media
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.results.columns import Columns
from stratoperf.statistics.estimates import QUANTILES, Estimate, Outliers

SCHEMA = "stratoperf.run/1"
"""What files of this version say under ``schema``."""

_LARGEST = 2**63 - 1
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)]
Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=_LARGEST)]
Nanoseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]
Duration: TypeAlias = Annotated[float, msgspec.Meta(ge=0.0, le=1e18)]
Quantity: TypeAlias = Annotated[float, msgspec.Meta(ge=0.0, le=1e60)]

Better = Literal["lower", "higher"]
Status = Literal["ok", "failed", "skipped", "interrupted"]
Facts: TypeAlias = dict[str, Any] | str | None
"""What is known of a part of a machine; other tools may write one sentence."""

Kind = Literal["event", "batch_mean", "bucketed"]
"""What a sample is: one event, the mean of a batch of iterations, or a bucket of a histogram."""

Verdict = Literal["met", "missed", "inconclusive", "not-measured"]

STATISTICS = ("mean", *QUANTILES)
"""The statistics that have an interval, so that a target can be set for them."""


class MetricSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The statistics of one metric, in its unit; ``None`` where a statistic has no value.

    Attributes
    ----------
    count
        Number of samples.
    mean, stdev, min, max
        Moments and extremes of all samples, outliers included.
    p50, p95, p99, p999
        Quantiles of all samples, each with its confidence interval.
    outliers
        The samples that a 3-sigma rule would remove, and the statistics of the rest.
    drift
        Change of the median during the sampling, as a share of it.
    processes
        Number of processes; ``None`` in old files with a single process.
    scope
        What the intervals cover: ``"5 processes"``, so that they hold for the next run too, or
        ``"this process"``.
    at_reference_speed
        The median that each process would have at the machine's usual speed; ``None`` where the
        speed was not measured, or the medians do not follow it.
    """

    count: Count
    mean: float | None = None
    stdev: float | None = None
    min: float | None = None
    max: float | None = None
    p50: Estimate | None = None
    p95: Estimate | None = None
    p99: Estimate | None = None
    p999: Estimate | None = None
    outliers: Outliers | None = None
    drift: float | None = None
    processes: Count | None = None
    scope: str | None = None
    at_reference_speed: Estimate | None = None


class TargetVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """A target, and the verdict on the measured value.

    Attributes
    ----------
    statistic
        ``"mean"``, ``"p50"``, ``"p95"``, ``"p99"`` or ``"p999"``.
    direction
        ``"<"``, ``"<="``, ``">"`` or ``">="``: how the statistic must compare with the value.
    value, unit
        The target.
    verdict
        ``"met"``, ``"missed"``, ``"inconclusive"`` or ``"not-measured"``.
    why
        The reason for the verdict, in words.
    """

    statistic: Literal["mean", "p50", "p95", "p99", "p999"]
    direction: Literal["<", "<=", ">", ">="]
    value: float
    unit: str
    verdict: Verdict
    why: str | None = None


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One measured quantity of a result.

    Attributes
    ----------
    unit
        Unit, such as ``"ns"`` or ``"votes/s"``.
    better
        ``"lower"`` or ``"higher"``.
    primary
        Whether comparisons judge the result by this metric.
    summary
        Statistics of the samples.
    mean
        The mean with its confidence interval; for a rate, all items over the whole time.
    target
        The verdict on the claim about this metric, if there is one.
    """

    unit: str
    better: Better
    primary: bool = False
    summary: MetricSummary | None = None
    mean: Estimate | None = None
    target: TargetVerdict | None = None

    def statistic(self, name: str) -> Estimate | None:
        """Return one statistic with its interval, or ``None`` where it was not measured.

        Parameters
        ----------
        name
            ``"mean"``, ``"p50"``, ``"p95"``, ``"p99"`` or ``"p999"``.

        Raises
        ------
        InvalidParameter
            For another name.
        """
        if name not in STATISTICS:
            raise InvalidParameter(
                f"statistic: {name!r} is unknown; {did_you_mean(name, STATISTICS)}"
            )
        if name == "mean":
            return self.mean
        estimate: Estimate | None = getattr(self.summary, name, None)
        return estimate


class Warmup(msgspec.Struct, frozen=True, kw_only=True):
    """The warm-up before the first sample: seconds and iterations."""

    seconds: Duration
    iterations: Count = 0


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """How many outcomes of the timed work were checked, and whether all were right."""

    checked: Count
    passed: bool


class Variation(msgspec.Struct, frozen=True, kw_only=True):
    """Where the median of the primary metric varies; all sizes are fractions of its value.

    Attributes
    ----------
    within
        Scatter within a process: the standard deviation of its samples (after the 3-sigma rule),
        of the middle one of the processes.
    between
        Standard deviation of the medians of the processes.
    extent
        How much higher the highest median is than the lowest: 0.19 is 19 %.
    drift
        The change of the median over the run, from the first process to the last (Theil & Sen's
        slope); negative where it fell. ``None`` with fewer than four processes.
    drift_chance
        The probability of a trend so consistent where nothing drifts (Kendall's tau, exact).
    slow_processes
        Number of processes in a separate slower mode; 0 with a single mode.
    slower_by
        How much slower these processes are, median to median: 0.5 is 50 %; ``None`` with a single
        mode.
    """

    within: Quantity | None = None
    between: Quantity
    extent: Quantity
    drift: float | None = None
    drift_chance: float | None = None
    slow_processes: Count = 0
    slower_by: Quantity | None = None


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """Summary of one of several processes; its samples are in its series.

    Attributes
    ----------
    process
        Its identity, as in `Series`.
    started_ns
        When its first sample began, as in `Series`.
    disturbed
        What disturbed it from outside, or ``None``.
    warmup, environment
        As in `Result`; ``environment["reference"]`` has the machine's speed before and after.
    metrics
        The value of each statistic, by the name of the metric.
    """

    process: str | None = None
    started_ns: Nanoseconds | None = None
    disturbed: str | None = None
    warmup: Warmup | None = None
    environment: Mapping[str, Any] = {}
    metrics: Mapping[str, Mapping[str, float]] = {}


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """The samples of one process on one system, in the order taken.

    Attributes
    ----------
    system
        Key into `Run.systems`.
    process
        Identity of the process: the unit of inference when runs are compared.
    arm, pair
        Side and number of the pair, when two versions were measured in turn; otherwise ``None``.
    started_ns
        When the first sample began, on the timeline of ``CLOCK_MONOTONIC_RAW``.
    batch
        Number of iterations in one sample; above 1, a sample is their mean.
    kind
        What a sample is; ``None`` in old files, where a `batch` above 1 tells means.
    columns
        Read-only arrays by name, loaded and verified on access: ``"latency"`` in ns, or the
        columns of an open-loop series. ``"iterations"`` has the size of each batch where they
        differ.
    """

    system: str | None
    process: str | None
    arm: str | None
    pair: int | None
    started_ns: int | None
    batch: int
    kind: Kind | None
    columns: Columns


class System(msgspec.Struct, frozen=True, kw_only=True):
    """A machine of a run, as `stratoperf.monitor.system` described it then.

    Attributes
    ----------
    cpu, memory, kernel, os, python, clock, virtualization
        Facts by name; `clock` has the ``source`` of time and the ``reason`` for it.
    gpus
        One entry per GPU.
    warnings
        What makes the machine noisy, in words.
    """

    cpu: Facts = None
    memory: Facts = None
    gpus: tuple[Any, ...] = ()
    kernel: Facts = None
    os: Facts = None
    python: Facts = None
    clock: Facts = None
    virtualization: Facts = None
    warnings: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One case of a run: a benchmark with one backend and one set of parameters.

    Attributes
    ----------
    key
        Stable identity from benchmark, backend and parameters; comparisons join on it.
    benchmark, benchmark_version, category, backend, params
        What was measured.
    source
        SHA-256 of the file that declares the benchmark, in hexadecimal, where fresh processes
        imported it; else ``None``. With several processes, the digest of the last one.
    status
        ``"ok"``, ``"failed"``, ``"skipped"`` or ``"interrupted"``.
    reason
        Why the status is not ``"ok"``.
    below_standard
        Where the measurement falls short of the standard for benchmarks, in words.
    metrics
        By name; empty when nothing trustworthy was measured.
    series
        The samples of the metrics.
    warmup, verification
        ``None`` if the case has none.
    environment
        What disturbed the measurement: steal time, involuntary switches and so on. Over several
        processes: sums, or the worst of them.
    processes
        Summaries of several processes, in the order measured; empty for a single process.
    left_out
        Summaries of processes that do not count, because they were disturbed from outside; no
        series has their samples.
    variation
        Where the variation is, within or between processes; ``None`` for a single process.
    stopped_because
        ``"precision"``, ``"max_duration"``, ``"max_iterations"``, ``"max_samples"`` or
        ``"interrupted"``.
    items, item_unit
        Work items in one iteration, and their plural name: what throughput counts.
    details
        Facts that the operation reports, such as the choice of a calibration.
    warnings
        Noise that a reader of the result must know.
    disturbed
        What disturbed the processes from outside, so much that no verdict may rest on them; else
        ``None``.
    notes
        Other facts that a reader must know, such as what the benchmark changed in the process.
    profile
        Where the time goes, as a run with ``profile=True`` found it after the measurement:
        ``counters`` per iteration, ``instructions_per_cycle``, ``functions``; else ``None``.
    """

    key: str
    benchmark: str
    backend: str
    status: Status
    benchmark_version: int | str | None = None
    category: str | None = None
    source: str | None = None
    params: Mapping[str, Any] = {}
    reason: str | None = None
    below_standard: tuple[str, ...] = ()
    metrics: Mapping[str, Metric] = {}
    series: tuple[Series, ...] = ()
    warmup: Warmup | None = None
    verification: Verification | None = None
    environment: Mapping[str, Any] = {}
    processes: tuple[Process, ...] = ()
    left_out: tuple[Process, ...] = ()
    variation: Variation | None = None
    stopped_because: str | None = None
    items: float | None = None
    item_unit: str | None = None
    details: Mapping[str, Any] = {}
    warnings: tuple[str, ...] = ()
    disturbed: str | None = None
    notes: tuple[str, ...] = ()
    profile: Mapping[str, Any] | None = None

    def series_of(self, metric: str) -> tuple[Series, ...]:
        """Return the series that hold the samples of a metric.

        Parameters
        ----------
        metric
            ``"throughput"`` uses the samples of ``"latency"``. If no series has a column with the
            name, all series are returned.
        """
        for name in (metric, "latency"):
            matching = tuple(series for series in self.series if name in series.columns)
            if matching:
                return matching
        return self.series

    def plot(self, kind: str = "distribution") -> media.Picture:
        """Draw the samples of the primary metric; see `stratoperf.Measurement.plot`.

        Raises
        ------
        InvalidParameter
            For another `kind`, without samples, and for the processes of a single one.
        """
        return media.picture(self, kind=kind)

    def _repr_html_(self) -> str:
        return media.html(self)
