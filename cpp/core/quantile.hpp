// Quantiles with distribution-free confidence intervals from order statistics.
#pragma once

#include <span>

#include "core/interval.hpp"

namespace stratoperf {

// Quantile q by linear interpolation between the order statistics around (n - 1) q: definition 7
// of Hyndman & Fan (The American Statistician 50, 1996), the default of NumPy and R.
double quantile(std::span<const double> samples, double q);

// Throws std::invalid_argument unless q lies in [0, 1], or confidence in (0, 1).
void check_quantile(double q);
void check_confidence(double confidence);

// Quantile q in [0, 1] of the samples in the order taken, with a two-sided interval of the given
// confidence: from the order statistics of independent draws. Where the samples are correlated it
// reaches as far as the quantiles of eight parts of the series, too. Ranks of the effective size
// would not do: a series that drifts is worth next to nothing by that, and then they lie at the
// extremes of all samples, which no drift has reached, or nowhere. Throws std::invalid_argument for
// no samples, NaN, or a q or confidence out of range.
Interval quantile_interval(std::span<const double> samples, double q, double confidence);

}  // namespace stratoperf
