#include "core/autocorrelation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>

#include "core/distributions.hpp"

namespace stratoperf {
namespace {

// The tests look at all scales at once; this is the probability that any of them calls
// independent draws correlated. Small enough to leave their intervals alone, large enough to
// catch every correlation that would spoil an interval.
constexpr double kFalseAlarm = 0.001;
// Fewer blocks than this say nothing about the dependence between them.
constexpr std::size_t kFewestBlocks = 8;

// Sokal's window: sum the autocorrelations up to the lag that exceeds this many times the
// integrated time so far (in units without the factor 2). An exponential decay is cut at
// exp(-5), a bias under 1 %.
constexpr double kWindow = 5;
// Lags tried at one scale before adjacent samples are added up and the scale doubles. Keeps the
// whole estimate at O(n), and loses nothing: the decay is long against the blocks by then.
constexpr std::size_t kLags = 32;
// The estimate starts this many doublings below the scale at which dependence showed most. A
// weak but long dependence under much noise (two regimes, seen at the 95th percentile) is lost
// at single samples, where the window closes on the noise; that scale itself would be too coarse
// for a short dependence.
constexpr int kFinerScales = 2;

double significance(std::size_t size) {
  const double scales = std::log2(static_cast<double>(size) / static_cast<double>(kFewestBlocks));
  return kFalseAlarm / std::max(1.0, scales);
}

template <typename T>
void add_adjacent(std::vector<T>& blocks) {
  const std::size_t half = blocks.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    blocks[i] = blocks[2 * i] + blocks[2 * i + 1];
  }
  blocks.resize(half);
}

double lagged_product(std::span<const double> x, std::size_t lag) {
  return std::transform_reduce(x.begin(), x.end() - static_cast<std::ptrdiff_t>(lag),
                               x.begin() + static_cast<std::ptrdiff_t>(lag), 0.0);
}

double center(std::vector<double>& x) {
  const double mean = std::reduce(x.begin(), x.end()) / static_cast<double>(x.size());
  for (double& value : x) {
    value -= mean;
  }
  return lagged_product(x, 0);
}

// Integrated autocorrelation time of a centered series with the window of Sokal (Monte Carlo
// Methods in Statistical Mechanics, 1996, section 3), its bias of order 1/n taken out after
// Wolff (Comput. Phys. Commun. 156, 2004, eq. 49). The relative variance of the estimate is
// 2 (2 M + 1) / n for a window M (Madras & Sokal 1988), which gives its degrees of freedom.
CorrelationTime windowed_time(std::vector<double> blocks, double sum_of_squares, int loudest) {
  const double variance = sum_of_squares / static_cast<double>(blocks.size());
  const int scale = std::max(0, loudest - kFinerScales);
  for (int i = 0; i < scale; ++i) {
    add_adjacent(blocks);
  }
  double block_size = std::ldexp(1.0, scale);
  for (;;) {
    const auto count = static_cast<double>(blocks.size());
    const double block_variance = lagged_product(blocks, 0) / count;
    const bool can_double = blocks.size() >= 4 * kLags;
    const std::size_t lags = std::min(kLags, blocks.size() / 4);
    double half_time = 0.5;
    std::size_t window = 0;
    bool closed = false;
    while (!closed && window < lags) {
      ++window;
      half_time += lagged_product(blocks, window) / (count * block_variance);
      closed = static_cast<double>(window) >= kWindow * half_time;
    }
    if (closed || !can_double) {
      const double width = 2 * static_cast<double>(window) + 1;
      const double time = 2 * half_time * block_variance / (block_size * variance);
      return {std::max(1.0, time * (1 + width / count)), count / width, false};
    }
    add_adjacent(blocks);
    block_size *= 2;
  }
}

// The dyadic block size at which a test for dependence spoke loudest.
struct Dependence {
  bool significant = false;
  double loudest = 0;  // in standard deviations
  int scale = 0;       // block size 2^scale

  void note(double deviation, int at, bool is_significant) {
    significant = significant || is_significant;
    if (deviation > loudest) {
      loudest = deviation;
      scale = at;
    }
  }
};

// Whether ones and zeros come in clumps. At every dyadic block size B, the pairs of ones that
// share a block are counted; given the number of ones, independent draws make that count a
// degenerate U-statistic whose three first moments are known, and a gamma distribution shifted
// and scaled to them gives its upper tail, from a handful of ones to chi-squared for many.
Dependence clumping(std::vector<std::uint32_t> blocks) {
  const double level = significance(blocks.size());
  Dependence result;
  for (int scale = 1; blocks.size() / 2 >= kFewestBlocks; ++scale) {
    add_adjacent(blocks);
    const double block_size = std::ldexp(1.0, scale);
    const auto count = static_cast<double>(blocks.size());
    double ones = 0;
    double pairs = 0;
    for (const std::uint32_t block : blocks) {
      const double value = block;
      ones += value;
      pairs += value * (value - 1) / 2;
    }
    const double total = count * block_size;
    const double share = ones / total;
    const double second = share * (1 - share);
    const double third = second * (1 - 2 * share);
    const double block_pairs = count * block_size * (block_size - 1) / 2;
    const double block_triples = block_pairs * (block_size - 2) / 3;
    const double mean = block_pairs * ones * (ones - 1) / (total * (total - 1));
    const double variance = block_pairs * second * second * (1 - 1 / count);
    const double skew = block_pairs * third * third + 6 * block_triples * second * second * second;
    if (variance <= 0 || skew <= 0) {
      continue;  // all ones or all zeros: nothing can clump
    }
    const double shape = 4 * variance * variance * variance / (skew * skew);
    const double deviation = (pairs - 0.5 - mean) / std::sqrt(variance);
    result.note(deviation, scale,
                gamma_upper_tail(shape, shape + std::sqrt(shape) * deviation) < level);
  }
  return result;
}

// Whether adjacent block sums resemble each other at any dyadic block size: the lag-1
// autocorrelation of m independent values is Normal(0, 1/m), whatever their distribution.
Dependence persistence(std::vector<double> blocks) {
  const double threshold = -normal_quantile(significance(blocks.size()));
  Dependence result;
  for (int scale = 0; blocks.size() >= kFewestBlocks; ++scale) {
    const double sum_of_squares = center(blocks);
    const double deviation =
        lagged_product(blocks, 1) / sum_of_squares * std::sqrt(static_cast<double>(blocks.size()));
    result.note(deviation, scale, deviation > threshold);
    add_adjacent(blocks);
  }
  return result;
}

CorrelationTime independent(std::size_t size) { return {1, static_cast<double>(size), false}; }

}  // namespace

CorrelationTime correlation_time(std::span<const double> samples) {
  std::vector<double> centered(samples.begin(), samples.end());
  const double sum_of_squares = center(centered);
  if (samples.size() < kFewestBlocks || sum_of_squares <= 0) {
    return independent(samples.size());
  }
  const Dependence dependence = persistence(centered);
  CorrelationTime result = windowed_time(std::move(centered), sum_of_squares, dependence.scale);
  result.significant = dependence.significant;
  return result;
}

CorrelationTime indicator_correlation_time(std::span<const double> samples, double threshold,
                                           double q) {
  std::size_t below = 0;
  std::size_t at_most = 0;
  for (const double x : samples) {
    below += x < threshold;
    at_most += x <= threshold;
  }
  const auto count = static_cast<double>(samples.size());
  const bool strict = std::abs(static_cast<double>(below) - q * count) <
                      std::abs(static_cast<double>(at_most) - q * count);
  const double ones = static_cast<double>(strict ? below : at_most);
  if (samples.size() < kFewestBlocks || ones == 0 || ones == count) {
    return independent(samples.size());
  }
  // Clumps are counted in whichever of ones and zeros is rarer: there the counts are sparse.
  const bool invert = 2 * ones > count;
  std::vector<std::uint32_t> indicator(samples.size());
  std::transform(samples.begin(), samples.end(), indicator.begin(), [&](double x) {
    return static_cast<std::uint32_t>((strict ? x < threshold : x <= threshold) != invert);
  });
  std::vector<double> centered(indicator.begin(), indicator.end());
  const Dependence dependence = clumping(std::move(indicator));
  if (!dependence.significant) {
    return independent(samples.size());
  }
  const double sum_of_squares = center(centered);
  CorrelationTime result = windowed_time(std::move(centered), sum_of_squares, dependence.scale);
  result.significant = true;
  return result;
}

}  // namespace stratoperf
