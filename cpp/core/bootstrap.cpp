#include "core/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/quantile.hpp"
#include "core/random.hpp"

namespace stratoperf {
namespace {

void check(std::span<const double> samples, std::size_t block) {
  if (samples.empty()) {
    throw std::invalid_argument(
        "samples: must not be empty; a bootstrap needs at least one sample");
  }
  if (block < 1 || block > samples.size()) {
    throw std::invalid_argument("block: must lie between 1 and the number of samples (" +
                                std::to_string(samples.size()) + "), got " + std::to_string(block));
  }
}

// Where a quantile lies between two neighboring order statistics of n samples.
struct Position {
  std::size_t left;  // index from 0
  double fraction;   // of the way to the next one

  Position(std::size_t n, double q) {
    const double position = static_cast<double>(n - 1) * q;
    left = static_cast<std::size_t>(position);
    fraction = position - static_cast<double>(left);
  }
};

// Blocks of one sample. A resample picks n indices floor(n U); its k-th order statistic is then
// the sample of rank floor(n U_(k)), and U_(k) follows Beta(k, n + 1 - k). The next one lies above
// it like the smallest of n - k uniform variables. So a replicate takes constant time, without
// building the resample, and has exactly its distribution.
class IndependentQuantile final : public Resampler {
 public:
  IndependentQuantile(std::span<const double> samples, double q, const Resampling& resampling)
      : sorted_(samples.begin(), samples.end()),
        position_(samples.size(), q),
        random_(resampling.seed, resampling.stream) {
    std::sort(sorted_.begin(), sorted_.end());
  }

  void fill(std::span<double> replicates) override {
    const auto count = static_cast<double>(sorted_.size());
    const auto rank = static_cast<double>(position_.left) + 1;
    for (double& replicate : replicates) {
      const double below = random_.gamma(rank);
      const double above = random_.gamma(count + 1 - rank);
      const double at = below / (below + above);
      replicate = sample(at);
      if (position_.fraction > 0) {
        const double rest = std::pow(random_.uniform(), 1 / (count - rank));
        replicate = std::lerp(replicate, sample(1 - (1 - at) * rest), position_.fraction);
      }
    }
  }

 private:
  double sample(double uniform) const {
    const auto count = static_cast<double>(sorted_.size());
    return sorted_[std::min(sorted_.size() - 1, static_cast<std::size_t>(uniform * count))];
  }

  std::vector<double> sorted_;
  Position position_;
  Random random_;
};

// Longer blocks. The resample is counted by rank rather than sorted: O(n), and sequential.
class BlockQuantile final : public Resampler {
 public:
  BlockQuantile(std::span<const double> samples, double q, const Resampling& resampling)
      : sorted_(samples.size()),
        ranks_(samples.size()),
        counts_(samples.size()),
        position_(samples.size(), q),
        block_(resampling.block),
        random_(resampling.seed, resampling.stream) {
    std::vector<std::uint32_t> order(samples.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return samples[a] < samples[b]; });
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
      sorted_[rank] = samples[order[rank]];
      ranks_[order[rank]] = static_cast<std::uint32_t>(rank);
    }
  }

  void fill(std::span<double> replicates) override {
    for (double& replicate : replicates) {
      count_resample();
      std::size_t rank = 0;
      std::size_t seen = counts_[0];
      const double left = order_statistic(position_.left, rank, seen);
      replicate = left;
      if (position_.fraction > 0) {
        replicate =
            std::lerp(left, order_statistic(position_.left + 1, rank, seen), position_.fraction);
      }
    }
  }

 private:
  void count_resample() {
    std::fill(counts_.begin(), counts_.end(), 0U);
    const std::size_t n = ranks_.size();
    for (std::size_t left = n; left > 0;) {
      const std::size_t length = std::min(block_, left);
      const std::size_t start = random_.below(n);
      const std::size_t straight = std::min(length, n - start);
      count(start, straight);
      count(0, length - straight);
      left -= length;
    }
  }

  void count(std::size_t start, std::size_t length) {
    for (std::size_t i = start; i < start + length; ++i) {
      ++counts_[ranks_[i]];
    }
  }

  // Walks `rank` up until `seen` samples of the resample, those up to that rank, include `index`.
  double order_statistic(std::size_t index, std::size_t& rank, std::size_t& seen) const {
    while (seen <= index) {
      seen += counts_[++rank];
    }
    return sorted_[rank];
  }

  std::vector<double> sorted_;
  std::vector<std::uint32_t> ranks_;   // of each sample, in the order taken
  std::vector<std::uint32_t> counts_;  // how often the resample holds each rank
  Position position_;
  std::size_t block_;
  Random random_;
};

// The sum of a block is a difference of two running sums: O(n / block) a replicate.
class Mean final : public Resampler {
 public:
  Mean(std::span<const double> samples, const Resampling& resampling)
      : block_(resampling.block), random_(resampling.seed, resampling.stream) {
    const auto count = static_cast<double>(samples.size());
    center_ = std::reduce(samples.begin(), samples.end()) / count;
    // Around the mean, the running sums stay small and lose no digits. Twice around the series,
    // blocks need not wrap.
    running_.reserve(2 * samples.size() + 1);
    running_.push_back(0);
    for (int turn = 0; turn < 2; ++turn) {
      for (const double x : samples) {
        running_.push_back(running_.back() + (x - center_));
      }
    }
  }

  void fill(std::span<double> replicates) override {
    const std::size_t n = running_.size() / 2;
    for (double& replicate : replicates) {
      double sum = 0;
      for (std::size_t left = n; left > 0;) {
        const std::size_t length = std::min(block_, left);
        const std::size_t start = random_.below(n);
        sum += running_[start + length] - running_[start];
        left -= length;
      }
      replicate = center_ + sum / static_cast<double>(n);
    }
  }

 private:
  std::vector<double> running_;
  double center_ = 0;
  std::size_t block_;
  Random random_;
};

}  // namespace

std::unique_ptr<Resampler> quantile_resampler(std::span<const double> samples, double q,
                                              const Resampling& resampling) {
  check(samples, resampling.block);
  check_quantile(q);
  if (resampling.block == 1) {
    return std::make_unique<IndependentQuantile>(samples, q, resampling);
  }
  return std::make_unique<BlockQuantile>(samples, q, resampling);
}

std::unique_ptr<Resampler> mean_resampler(std::span<const double> samples,
                                          const Resampling& resampling) {
  check(samples, resampling.block);
  return std::make_unique<Mean>(samples, resampling);
}

std::size_t block_length(std::size_t n, double correlation_time) {
  // b = (2 G^2 / D)^(1/3) n^(1/3) with D = 4/3 g^2, where g is the sum of the autocovariances and
  // G that of |lag| times them; an exponential decay has G / g = correlation_time / 2.
  const double ratio = correlation_time / 2;
  const double length = std::ceil(std::cbrt(1.5 * ratio * ratio * static_cast<double>(n)));
  return static_cast<std::size_t>(std::clamp(length, 1.0, static_cast<double>(n)));
}

}  // namespace stratoperf
