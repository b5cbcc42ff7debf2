"""Statistics that state their uncertainty.

Latencies are skewed, have several modes and depend on their predecessors. So quantiles come with
distribution-free intervals, every interval widens where the samples are correlated, and a bound
that the samples do not support is ``None`` instead of a guess. Each `Estimate` names its method.
"""

from stratoperf.statistics.bootstrap import bootstrap, bootstrap_ratio
from stratoperf.statistics.correlation import autocorrelation, effective_sample_size
from stratoperf.statistics.estimates import Estimate, Outliers, Summary
from stratoperf.statistics.histogram import Histogram
from stratoperf.statistics.series import mean, median_absolute_deviation, quantile, summarize
from stratoperf.statistics.signed_rank import signed_rank

__all__ = [
    "Estimate",
    "Histogram",
    "Outliers",
    "Summary",
    "autocorrelation",
    "bootstrap",
    "bootstrap_ratio",
    "effective_sample_size",
    "mean",
    "median_absolute_deviation",
    "quantile",
    "signed_rank",
    "summarize",
]
