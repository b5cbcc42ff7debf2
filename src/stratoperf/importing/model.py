"""What a reader of another tool's files makes of them, before it becomes a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from stratoperf.results.schema import Better, Kind, Status

NS_PER_S = 1e9


def scaled(values: Sequence[float], factor: float) -> NDArray[np.float64]:
    """Return samples in another unit; what overflows is refused later, as any infinite one."""
    with np.errstate(over="ignore"):
        scaled: NDArray[np.float64] = np.array(values, np.float64) * factor
    return scaled


class Sampled(NamedTuple):
    """The samples that one process took of one metric.

    Attributes
    ----------
    values
        Float64, one-dimensional, in the order taken, in the unit of the metric.
    iterations
        Iterations in each sample: one number for all, or one for each. A sample of several is
        their mean.
    """

    values: NDArray[np.float64]
    iterations: int | NDArray[np.int64] = 1

    @classmethod
    def of_batches(cls, values: NDArray[np.float64], iterations: NDArray[np.int64]) -> Sampled:
        """Return samples with the iterations of each, which may all be the same."""
        same = bool((iterations == iterations[0]).all())
        return cls(values, int(iterations[0]) if same else iterations)

    @property
    def batch(self) -> int:
        """Iterations in every sample; 1 where they differ."""
        return self.iterations if isinstance(self.iterations, int) else 1

    @property
    def kind(self) -> Kind:
        """What a sample is."""
        return "event" if np.max(self.iterations, initial=1) == 1 else "batch_mean"


class Stated(NamedTuple):
    """What a file says of a metric without its samples; ``None`` where it does not.

    Attributes
    ----------
    size
        Number of samples that the values are of.
    """

    size: int = 1
    mean: float | None = None
    stdev: float | None = None
    min: float | None = None
    max: float | None = None
    median: float | None = None


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of a benchmark.

    Attributes
    ----------
    processes
        What each process measured of it, at least one. A single statement beside several processes
        of the first metric speaks of all of them.
    unit, better
        As in `stratoperf.results.schema.Metric`.
    """

    processes: Sequence[Sampled | Stated]
    unit: str = "ns"
    better: Better = "lower"


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """One benchmark as another tool names it.

    Attributes
    ----------
    name
        Its identity in the tool.
    params
        What tells it from others of that name.
    backend
        ``"cpu"`` or ``"cuda"``.
    status, reason
        As in `stratoperf.results.schema.Result`.
    metrics
        By name; the first one is what comparisons judge.
    items, item_unit
        Work in one iteration, where the file tells.
    system
        Facts of the machine, as in `stratoperf.results.schema.System`; empty where the file has
        none.
    details
        Further facts that the tool wrote.
    notes
        What a reader of the result must know.
    """

    name: str
    params: Mapping[str, bool | int | float | str] = {}
    backend: Literal["cpu", "cuda"] = "cpu"
    status: Status = "ok"
    reason: str | None = None
    metrics: Mapping[str, Observed] = {}
    items: float | None = None
    item_unit: str | None = None
    system: Mapping[str, Any] = {}
    details: Mapping[str, Any] = {}
    notes: tuple[str, ...] = ()


class ToolFile(msgspec.Struct, frozen=True, kw_only=True):
    """All that one file, or one folder, of a tool holds.

    Attributes
    ----------
    tool
        Its name.
    benchmarks
        At least one.
    measured
        When, as far as the file tells.
    lost
        What the file has and the run file will not, in words.
    """

    tool: str
    benchmarks: Sequence[Imported]
    measured: datetime | None = None
    lost: tuple[str, ...] = ()
