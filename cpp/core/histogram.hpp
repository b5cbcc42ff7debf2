// A histogram in constant memory for runs too long to keep every sample.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/quantile.hpp"

namespace stratoperf {

// The log-linear scheme of HdrHistogram (Gil Tene, hdrhistogram.org): every power of two is cut
// into equally many buckets, so many that a bucket is never wider than 10^-digits of its values
// (nor narrower than `lowest` asks for). Recording allocates nothing and takes constant time.
//
// A value above `highest` is counted as overflow: it stays in the count, in the maximum and, above
// every bucket, in the quantiles; only its size is not kept. Not safe for use by several threads
// at once.
class Histogram {
 public:
  struct Range {
    std::uint64_t lowest = 1;                   // smallest difference that matters, at least 1
    std::uint64_t highest = 3'600'000'000'000;  // largest value with a bucket: one hour in ns
    int digits = 3;                             // significant decimal digits, 1 to 5
    bool operator==(const Range&) const = default;
  };

  // A bucket holds the integers from `low` to `high`, both included.
  struct Bucket {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::uint64_t count = 0;
    // What its values are taken for.
    double middle() const { return static_cast<double>(low) + static_cast<double>(high - low) / 2; }
  };

  // Throws std::invalid_argument for digits outside 1 to 5, lowest of 0, or highest below twice
  // the lowest.
  explicit Histogram(const Range& range);

  void record(std::uint64_t value) {
    min_ = value < min_ ? value : min_;
    max_ = value > max_ ? value : max_;
    ++count_;
    if (value <= range_.highest) [[likely]] {
      ++counts_[index(value)];
    } else {
      ++overflow_;
    }
  }

  // Rounds to the nearest integer. Throws std::invalid_argument, and records nothing, when a
  // value is negative or not finite.
  void record_many(std::span<const double> values);
  void record_many(std::span<const std::int64_t> values);
  void record_many(std::span<const std::uint64_t> values);

  // Adds the counts of another histogram. Throws std::invalid_argument, and adds nothing, unless
  // each of its buckets lies within one of ours and its overflow lies beyond our range too.
  void merge(const Histogram& other);
  void reset();

  // Quantile q in [0, 1] with the definition of stratoperf::quantile, each sample taken for the
  // middle of its bucket: within 10^-digits / 2 of the true one. Overflow is taken for `highest`.
  // Throws std::invalid_argument when nothing is recorded.
  double quantile(double q) const;

  // With the bounds at the outer edges of their buckets; those of the overflow are `highest` and
  // the maximum. The order of the samples is not kept, so they are taken for independent.
  Interval quantile_interval(double q, double confidence) const;

  // Of the middles of the buckets, overflow taken for `highest`; `stdev` divides by count - 1.
  // Throw std::invalid_argument when nothing (for `stdev`: fewer than two values) is recorded.
  double mean() const;
  double stdev() const;

  std::uint64_t count() const { return count_; }
  std::uint64_t overflow() const { return overflow_; }
  // The exact extremes; empty when nothing is recorded.
  std::optional<std::uint64_t> min() const;
  std::optional<std::uint64_t> max() const;

  const Range& range() const { return range_; }
  std::size_t memory_bytes() const;
  // Those that hold something, in ascending order.
  std::vector<Bucket> buckets() const;

  // What `buckets`, `overflow`, `min` and `max` told of a histogram of the same range. Throws
  // std::invalid_argument where that cannot be.
  static Histogram restore(const Range& range, std::span<const Bucket> buckets,
                           std::uint64_t overflow, std::uint64_t min, std::uint64_t max);

 private:
  // Below 2^(linear_bits_ + unit_bits_) the buckets are 2^unit_bits_ wide. Each later power of two
  // has half as many, twice as wide as those of the one before; the lower half of its slots would
  // repeat what came before, so adding half the linear part per scale leaves no gap.
  std::size_t index(std::uint64_t value) const {
    const int shift = static_cast<int>(std::bit_width(value | linear_mask_)) - linear_bits_;
    return (static_cast<std::size_t>(shift - unit_bits_) << (linear_bits_ - 1)) +
           static_cast<std::size_t>(value >> shift);
  }
  Bucket bucket(std::size_t index) const;
  // The bucket of the order statistic at a rank from 1; none for one in the overflow.
  std::optional<Bucket> at_rank(std::uint64_t rank) const;
  void require_values(std::uint64_t needed) const;
  void count_all(std::span<const std::uint64_t> values);

  Range range_;
  int unit_bits_ = 0;
  int linear_bits_ = 0;
  std::uint64_t linear_mask_ = 0;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t overflow_ = 0;
  std::uint64_t min_ = UINT64_MAX;
  std::uint64_t max_ = 0;
};

}  // namespace stratoperf
