#include "core/quantile.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/autocorrelation.hpp"
#include "core/distributions.hpp"

namespace stratoperf {
namespace {

void check(std::span<const double> samples, double q, double confidence) {
  if (samples.empty()) {
    throw std::invalid_argument("samples: there are none; a quantile needs at least one");
  }
  if (!(q >= 0 && q <= 1)) {
    throw std::invalid_argument("q: must lie in [0, 1], got " + std::to_string(q) +
                                "; the 95th percentile is 0.95");
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw std::invalid_argument("confidence: must lie between 0 and 1, got " +
                                std::to_string(confidence) + "; 95 % is 0.95");
  }
  const auto bad =
      std::find_if(samples.begin(), samples.end(), [](double x) { return !std::isfinite(x); });
  if (bad != samples.end()) {
    throw std::invalid_argument("samples: must be finite, got " + std::to_string(*bad) +
                                " at index " + std::to_string(bad - samples.begin()) +
                                "; drop or repair it first");
  }
}

// Ranks for n samples from those of the smaller number of samples that they are worth, each
// rounded away from the middle.
Ranks scaled(Ranks ranks, std::uint64_t effective, std::uint64_t n) {
  const double scale = static_cast<double>(n) / static_cast<double>(effective);
  Ranks result{0, n + 1};
  if (ranks.low > 0) {
    result.low =
        1 + static_cast<std::uint64_t>(std::floor(static_cast<double>(ranks.low - 1) * scale));
  }
  if (ranks.high <= effective) {
    result.high =
        std::min(n, static_cast<std::uint64_t>(std::ceil(static_cast<double>(ranks.high) * scale)));
  }
  return result;
}

// Ranks for correlated samples. The effective size is itself an estimate: it is cut further, so
// that the normal interval of the smaller size is as wide as Student's interval of the larger.
Ranks widened_ranks(std::uint64_t n, double q, double confidence, const CorrelationTime& cost) {
  const double penalty = -normal_quantile((1 - confidence) / 2) /
                         student_t_half_width(confidence, cost.degrees_of_freedom);
  const auto effective =
      static_cast<std::uint64_t>(static_cast<double>(n) / cost.time * penalty * penalty);
  return scaled(binomial_ranks(effective, q, confidence), effective, n);
}

}  // namespace

QuantileInterval quantile_interval(std::span<const double> samples, double q, double confidence) {
  check(samples, q, confidence);
  const std::size_t n = samples.size();
  std::vector<double> values(samples.begin(), samples.end());
  const auto at = [&](std::size_t index) {
    return values.begin() + static_cast<std::ptrdiff_t>(index);
  };

  // Linear interpolation between the order statistics around (n - 1) q: definition 7 of Hyndman
  // & Fan (1996), the default of NumPy and R.
  const double position = static_cast<double>(n - 1) * q;
  const auto left = static_cast<std::size_t>(position);
  std::nth_element(values.begin(), at(left), values.end());
  const double left_value = *at(left);
  const double right_value =
      left + 1 < n ? *std::min_element(at(left + 1), values.end()) : left_value;
  QuantileInterval result;
  result.value = std::lerp(left_value, right_value, position - static_cast<double>(left));

  const CorrelationTime cost = indicator_correlation_time(samples, result.value, q);
  result.widened = cost.significant && cost.time > 1;
  result.effective_size = static_cast<double>(n) / cost.time;
  const Ranks ranks =
      result.widened ? widened_ranks(n, q, confidence, cost) : binomial_ranks(n, q, confidence);

  // `left` splits the values already; each bound is looked for on its own side.
  const auto order_statistic = [&](std::size_t index) {
    if (index < left) {
      std::nth_element(values.begin(), at(index), at(left));
    } else if (index > left) {
      std::nth_element(at(left + 1), at(index), values.end());
    }
    return *at(index);
  };
  if (ranks.low >= 1) {
    result.low = order_statistic(ranks.low - 1);
  }
  if (ranks.high <= n) {
    result.high = order_statistic(ranks.high - 1);
  }
  return result;
}

}  // namespace stratoperf
