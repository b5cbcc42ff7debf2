// How much the samples of a series depend on each other.
#pragma once

#include <span>

namespace stratoperf {

// What correlation costs: n samples are worth n / time independent ones.
struct CorrelationTime {
  double time = 1;                // integrated: 1 + 2 * sum of the autocorrelations; at least 1
  double degrees_of_freedom = 0;  // of the estimate of `time`
  bool significant = false;       // the series is not a plausible sequence of independent draws
};

// Of the series itself: what its mean is worth.
CorrelationTime correlation_time(std::span<const double> samples);

// Of the series 1{x <= threshold} or 1{x < threshold}: what the rank of the threshold is worth.
// Of the two it takes the one whose mean is nearer to q (they differ where samples tie).
CorrelationTime indicator_correlation_time(std::span<const double> samples, double threshold,
                                           double q);

}  // namespace stratoperf
