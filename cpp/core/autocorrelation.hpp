// How much the samples of a series depend on each other.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace stratoperf {

// What correlation costs: n samples are worth n / time independent ones.
struct CorrelationTime {
  double time = 1;                // integrated: 1 + 2 * sum of the autocorrelations; at least 1
  double degrees_of_freedom = 0;  // of the estimate of `time`
  bool significant = false;       // the series is not a plausible sequence of independent draws
};

// Autocorrelation at the lags 0 to max_lag, the biased estimator (divided by the number of
// samples). A constant series has 1 at lag 0 and 0 elsewhere. Needs max_lag < samples.size().
std::vector<double> autocorrelation(std::span<const double> samples, std::size_t max_lag);

// Of the series itself: what its mean is worth.
CorrelationTime correlation_time(std::span<const double> samples);

// Of the series 1{x <= threshold} or 1{x < threshold}: what the rank of the threshold is worth.
// Of the two it takes the one whose mean is nearer to q (they differ where samples tie).
CorrelationTime indicator_correlation_time(std::span<const double> samples, double threshold,
                                           double q);

}  // namespace stratoperf
