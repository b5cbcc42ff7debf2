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

void check_samples(std::span<const double> samples) {
  if (samples.empty()) {
    throw std::invalid_argument("samples: there are none; a quantile needs at least one");
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

QuantileInterval quantile_interval(std::span<const double> samples, double q, double confidence) {
  check_samples(samples);
  check_quantile(q);
  check_confidence(confidence);
  const std::size_t n = samples.size();
  Selection values(samples);
  QuantileInterval result;
  result.value = values.quantile(q);
  const CorrelationTime cost = indicator_correlation_time(samples, result.value, q);
  result.widened = cost.significant && cost.time > 1;
  result.effective_size = static_cast<double>(n) / cost.time;
  const Ranks ranks = enclosing(
      result.widened ? widened_ranks(n, q, confidence, cost) : binomial_ranks(n, q, confidence), n,
      q);
  if (ranks.low >= 1) {
    result.low = values[ranks.low - 1];
  }
  if (ranks.high <= n) {
    result.high = values[ranks.high - 1];
  }
  return result;
}

}  // namespace stratoperf
