"""Figures, drawn with matplotlib (the extra ``plot``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stratoperf.errors import InvalidParameter, PrerequisiteMissing
from stratoperf.report.units import interval, scale_of
from stratoperf.safe_text import figure_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from stratoperf.measurement import Measurement

# The axis ends at this quantile, or as many times the distance from the fastest sample to p99
# beyond p99, so that stray samples do not squeeze all the others into one bar; what lies beyond is
# counted in the last bar and said in the label.
_SHOWN = 0.999
_BEYOND_P99 = 2.0
_BINS = 80


def plot_measurement(measurement: Measurement) -> Axes:
    """Draw the histogram of the samples with p50, p95 and p99 and their intervals.

    Raises
    ------
    PrerequisiteMissing
        Without matplotlib.
    InvalidParameter
        When the measurement kept no samples.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise PrerequisiteMissing(
            "plot() needs matplotlib: pip install 'stratoperf[plot]'"
        ) from error
    if len(measurement.samples_ns) == 0:
        raise InvalidParameter(
            f"{measurement.name}: no samples to plot; measure with keep_samples=True"
        )
    summary = measurement.summary()
    scale, unit = scale_of(summary.p50.value, "ns")
    samples = measurement.samples_ns / scale
    p99 = summary.p99.value / scale
    right = min(
        float(np.quantile(samples, _SHOWN)), p99 + _BEYOND_P99 * (p99 - summary.min / scale)
    )
    beyond = int(np.count_nonzero(samples > right))
    _, axes = pyplot.subplots(figsize=(7.0, 3.5), layout="constrained")
    axes.hist(np.minimum(samples, right), bins=_BINS, color="#9db8d2")
    for name, color in (("p50", "#1b6ca8"), ("p95", "#d9822b"), ("p99", "#b3261e")):
        estimate = getattr(summary, name)
        axes.axvline(
            estimate.value / scale, color=color, label=f"{name} {interval(estimate, 'ns')}"
        )
        if estimate.low is not None and estimate.high is not None:
            axes.axvspan(estimate.low / scale, estimate.high / scale, color=color, alpha=0.2)
    # Bounds of wide intervals must not stretch it either. Of equal samples it has no width.
    if right > summary.min / scale:
        margin = (right - summary.min / scale) / _BINS
        axes.set_xlim(summary.min / scale - margin, right + margin)
    batch = "" if measurement.batch == 1 else f", mean of {measurement.batch} iterations"
    axes.set_xlabel(f"time of one iteration [{unit}]{batch} ({beyond} samples lie to the right)")
    axes.set_ylabel("samples")
    axes.set_title(figure_label(f"{measurement.name}: {len(samples)} samples"))
    axes.legend()
    return axes
