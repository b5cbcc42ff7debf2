// Location and spread of a series.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "core/interval.hpp"

namespace stratoperf {

// All in the unit of the samples. `stdev` is that of the population the samples come from
// (divided by count - 1) and empty for fewer than two samples.
struct Moments {
  std::size_t count = 0;
  double mean = 0;
  std::optional<double> stdev = std::nullopt;
  double min = 0;
  double max = 0;
};

// Two passes, so that a large mean does not drown a small deviation. Needs a sample.
Moments moments(std::span<const double> samples);

// What the rule "drop every sample further than `sigma` standard deviations from the mean" drops,
// applied once, and the moments of what it keeps. The extremes of the kept samples included.
struct Trimmed {
  std::size_t dropped = 0;
  Moments kept;
};

Trimmed trim(std::span<const double> samples, const Moments& all, double sigma);

// The mean with Student's interval; its standard error uses the number of independent samples
// that the series is worth where the samples are correlated. No bounds for fewer than two samples.
// Throws std::invalid_argument for a confidence outside (0, 1). Needs a sample.
Interval mean_interval(std::span<const double> samples, double confidence);

// The median of the distances to the median, not scaled to any distribution. Needs a sample.
double median_absolute_deviation(std::span<const double> samples);

}  // namespace stratoperf
