#include "core/quantile.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/autocorrelation.hpp"
#include "core/distributions.hpp"
#include "core/moments.hpp"

namespace stratoperf {
namespace {

// Eight values are the fewest whose extremes bound a median at 95 % with some reserve (99.2 % where
// they are independent), and each part is as long as can be.
constexpr std::size_t kParts = 8;

void check_samples(std::span<const double> samples) {
  if (samples.empty()) {
    throw std::invalid_argument("samples: must not be empty; a quantile needs at least one sample");
  }
  const auto bad =
      std::find_if(samples.begin(), samples.end(), [](double x) { return !std::isfinite(x); });
  if (bad != samples.end()) {
    throw std::invalid_argument("samples: must be finite, got " + std::to_string(*bad) +
                                " at index " + std::to_string(bad - samples.begin()) +
                                "; drop or repair it first");
  }
}

// Finds order statistics, each at the cost of what is not yet in its place.
class Selection {
 public:
  explicit Selection(std::span<const double> samples) : values_(samples.begin(), samples.end()) {}

  // Puts the two order statistics around (n - 1) q into their places and interpolates.
  double quantile(double q) {
    const double position = static_cast<double>(values_.size() - 1) * q;
    pivot_ = static_cast<std::size_t>(position);
    std::nth_element(values_.begin(), at(pivot_), values_.end());
    const double left = *at(pivot_);
    const double right =
        pivot_ + 1 < values_.size() ? *std::min_element(at(pivot_ + 1), values_.end()) : left;
    return std::lerp(left, right, position - static_cast<double>(pivot_));
  }

  // The order statistic at an index from 0; `quantile` has split the values before.
  double operator[](std::size_t index) {
    if (index < pivot_) {
      std::nth_element(values_.begin(), at(index), at(pivot_));
    } else if (index > pivot_) {
      std::nth_element(at(pivot_ + 1), at(index), values_.end());
    }
    return *at(index);
  }

 private:
  std::vector<double>::iterator at(std::size_t index) {
    return values_.begin() + static_cast<std::ptrdiff_t>(index);
  }

  std::vector<double> values_;
  std::size_t pivot_ = 0;
};

// How far quantile q moves while the series is taken, by its values in the parts.
struct Extent {
  double low = 0;
  double high = 0;
};

// The order statistics of the values in the parts that bound their median; where the parts are too
// few for the confidence, their extremes, or Student's interval around the value if that is wider.
//
// A side that no order statistic of as many independent samples as the series is worth bounds is
// correlated over whole parts, or has few parts that saw its tail: what they scatter by is then not
// averaged out, and the side reaches as far as one more part may lie away.
Extent extent_of_parts(std::span<const double> samples, double value, double q, double confidence,
                       double effective_size) {
  const std::size_t count = std::min(kParts, samples.size());
  std::vector<double> parts(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = samples.size() * i / count;
    const std::size_t end = samples.size() * (i + 1) / count;
    parts[i] = Selection(samples.subspan(begin, end - begin)).quantile(q);
  }
  std::sort(parts.begin(), parts.end());
  const Moments scatter = moments(parts);
  const double reach =
      student_t_half_width(confidence, static_cast<double>(count - 1)) * scatter.stdev.value_or(0);
  Extent extent{scatter.min, scatter.max};
  const Ranks of_parts = binomial_ranks(count, 0.5, confidence);
  if (of_parts.low >= 1) {
    extent = {parts[of_parts.low - 1], parts[of_parts.high - 1]};
  } else {
    const double averaged = reach / std::sqrt(static_cast<double>(count));
    extent = {std::min(extent.low, value - averaged), std::max(extent.high, value + averaged)};
  }
  const auto effective = static_cast<std::uint64_t>(effective_size);
  const Ranks of_effective = binomial_ranks(effective, q, confidence);
  if (of_effective.low < 1) {
    extent.low = std::min(extent.low, value - reach);
  }
  if (of_effective.high > effective) {
    extent.high = std::max(extent.high, value + reach);
  }
  // A time is not negative.
  extent.low = std::max(extent.low, *std::min_element(samples.begin(), samples.end()));
  return extent;
}

// A bound may not pass the order statistics that the value lies between, which the exact ranks of
// very few samples do (the 99th percentile of two: it lies above both in 98 % of all cases).
Ranks enclosing(Ranks ranks, std::uint64_t n, double q) {
  const double position = static_cast<double>(n - 1) * q;
  return {std::min(ranks.low, static_cast<std::uint64_t>(std::floor(position)) + 1),
          std::max(ranks.high, static_cast<std::uint64_t>(std::ceil(position)) + 1)};
}

}  // namespace

void check_quantile(double q) {
  if (!(q >= 0 && q <= 1)) {
    throw std::invalid_argument("q: must lie in [0, 1], got " + std::to_string(q) +
                                "; the 95th percentile is 0.95");
  }
}

void check_confidence(double confidence) {
  if (!(confidence > 0 && confidence < 1)) {
    throw std::invalid_argument("confidence: must lie between 0 and 1, got " +
                                std::to_string(confidence) + "; 95 % is 0.95");
  }
}

double quantile(std::span<const double> samples, double q) {
  check_samples(samples);
  check_quantile(q);
  return Selection(samples).quantile(q);
}

Interval quantile_interval(std::span<const double> samples, double q, double confidence) {
  check_samples(samples);
  check_quantile(q);
  check_confidence(confidence);
  const std::size_t n = samples.size();
  Selection values(samples);
  Interval result;
  result.value = values.quantile(q);
  const CorrelationTime cost = indicator_correlation_time(samples, result.value, q);
  result.widened = cost.significant && cost.time > 1;
  result.effective_size = static_cast<double>(n) / cost.time;
  const Ranks ranks = enclosing(binomial_ranks(n, q, confidence), n, q);
  if (ranks.low >= 1) {
    result.low = values[ranks.low - 1];
  }
  if (ranks.high <= n) {
    result.high = values[ranks.high - 1];
  }
  if (result.widened) {
    const Extent extent =
        extent_of_parts(samples, result.value, q, confidence, result.effective_size);
    result.low = result.low ? std::optional(std::min(*result.low, extent.low)) : std::nullopt;
    result.high = result.high ? std::optional(std::max(*result.high, extent.high)) : std::nullopt;
  }
  return result;
}

}  // namespace stratoperf
