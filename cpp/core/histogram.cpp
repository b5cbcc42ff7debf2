#include "core/histogram.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "core/distributions.hpp"

namespace stratoperf {
namespace {

[[noreturn]] void refuse_value(const std::string& value, std::size_t at) {
  throw std::invalid_argument("values: must be finite and not negative, got " + value +
                              " at index " + std::to_string(at) + "; nothing was recorded");
}

int bit_width(std::uint64_t value) { return static_cast<int>(std::bit_width(value)); }

}  // namespace

Histogram::Histogram(const Range& range) : range_(range) {
  if (range.digits < 1 || range.digits > 5) {
    throw std::invalid_argument("digits: must lie between 1 and 5, got " +
                                std::to_string(range.digits));
  }
  if (range.lowest < 1) {
    throw std::invalid_argument("lowest: must be at least 1, got 0");
  }
  if (range.highest / 2 < range.lowest) {
    throw std::invalid_argument("highest: must be at least twice lowest (" +
                                std::to_string(range.lowest) + "), got " +
                                std::to_string(range.highest));
  }
  std::uint64_t precision = 1;
  for (int i = 0; i < range.digits; ++i) {
    precision *= 10;
  }
  // A scale starts at half its slots, so twice the precision keeps a bucket fine enough there.
  linear_bits_ = bit_width(2 * precision - 1);
  unit_bits_ = bit_width(range.lowest) - 1;
  if (linear_bits_ + unit_bits_ > 63) {
    throw std::invalid_argument("lowest: " + std::to_string(range.lowest) + " with " +
                                std::to_string(range.digits) +
                                " digits needs more than 63 bits; lower one of them");
  }
  linear_mask_ = (std::uint64_t{1} << (linear_bits_ + unit_bits_)) - 1;
  counts_.resize(index(range.highest) + 1);
}

void Histogram::record_many(std::span<const std::uint64_t> values) { count_all(values); }

void Histogram::record_many(std::span<const std::int64_t> values) {
  const auto bad = std::find_if(values.begin(), values.end(), [](auto v) { return v < 0; });
  if (bad != values.end()) {
    refuse_value(std::to_string(*bad), static_cast<std::size_t>(bad - values.begin()));
  }
  // The unsigned type of the same width may alias it.
  count_all({reinterpret_cast<const std::uint64_t*>(values.data()), values.size()});
}

void Histogram::record_many(std::span<const double> values) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  const auto bad = std::find_if(values.begin(), values.end(),
                                [](double v) { return !(v >= 0 && v <= kLargest); });
  if (bad != values.end()) {
    refuse_value(std::to_string(*bad), static_cast<std::size_t>(bad - values.begin()));
  }
  constexpr double kTooLarge = 0x1p63;  // such a value saturates
  std::array<std::uint64_t, 512> rounded;
  for (std::size_t start = 0; start < values.size(); start += rounded.size()) {
    const std::size_t size = std::min(rounded.size(), values.size() - start);
    std::transform(
        values.begin() + static_cast<std::ptrdiff_t>(start),
        values.begin() + static_cast<std::ptrdiff_t>(start + size), rounded.begin(), [](double v) {
          return v < kTooLarge ? static_cast<std::uint64_t>(static_cast<std::int64_t>(v + 0.5))
                               : UINT64_MAX;
        });
    count_all(std::span(rounded).first(size));
  }
}

// Like `record` for each; the members that it touches stay in registers.
void Histogram::count_all(std::span<const std::uint64_t> values) {
  std::uint64_t min = min_;
  std::uint64_t max = max_;
  std::uint64_t overflow = 0;
  std::uint64_t* const counts = counts_.data();
  const std::uint64_t highest = range_.highest;
  for (const std::uint64_t value : values) {
    min = std::min(min, value);
    max = std::max(max, value);
    if (value <= highest) [[likely]] {
      ++counts[index(value)];
    } else {
      ++overflow;
    }
  }
  min_ = min;
  max_ = max;
  overflow_ += overflow;
  count_ += values.size();
}

void Histogram::merge(const Histogram& other) {
  const std::vector<Bucket> theirs = other.buckets();
  const auto misfit = std::find_if(theirs.begin(), theirs.end(), [&](const Bucket& bucket) {
    return bucket.high > range_.highest || index(bucket.low) != index(bucket.high);
  });
  if (misfit != theirs.end()) {
    throw std::invalid_argument(
        "other: holds values from " + std::to_string(misfit->low) + " to " +
        std::to_string(misfit->high) +
        " that this histogram has no single bucket for; merge into " +
        "one with no more digits, no smaller lowest and a highest of at least " +
        std::to_string(theirs.back().high));
  }
  if (other.overflow_ > 0 && other.range_.highest < range_.highest) {
    throw std::invalid_argument("other: the sizes of " + std::to_string(other.overflow_) +
                                " values above its highest (" +
                                std::to_string(other.range_.highest) +
                                ") are not known, and this histogram keeps them up to " +
                                std::to_string(range_.highest) + "; merge the other way round");
  }
  for (const Bucket& bucket : theirs) {
    counts_[index(bucket.low)] += bucket.count;
  }
  count_ += other.count_;
  overflow_ += other.overflow_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::reset() {
  std::fill(counts_.begin(), counts_.end(), 0U);
  count_ = 0;
  overflow_ = 0;
  min_ = UINT64_MAX;
  max_ = 0;
}

double Histogram::quantile(double q) const {
  check_quantile(q);
  require_values(1);
  const auto sample = [this](std::uint64_t rank) {
    const std::optional<Bucket> bucket = at_rank(rank);
    return bucket.has_value()
               ? std::clamp(bucket->middle(), static_cast<double>(min_), static_cast<double>(max_))
               : static_cast<double>(range_.highest);
  };
  const double position = static_cast<double>(count_ - 1) * q;
  const auto left = static_cast<std::uint64_t>(position);
  const double fraction = position - static_cast<double>(left);
  const double value = sample(left + 1);
  return fraction > 0 ? std::lerp(value, sample(left + 2), fraction) : value;
}

Interval Histogram::quantile_interval(double q, double confidence) const {
  check_confidence(confidence);
  Interval result;
  result.value = quantile(q);
  result.effective_size = static_cast<double>(count_);
  const Ranks ranks = binomial_ranks(count_, q, confidence);
  if (ranks.low >= 1) {
    const std::optional<Bucket> bucket = at_rank(ranks.low);
    const double low = static_cast<double>(bucket ? std::max(bucket->low, min_) : range_.highest);
    result.low = std::min(low, result.value);
  }
  if (ranks.high <= count_) {
    const std::optional<Bucket> bucket = at_rank(ranks.high);
    const double high = static_cast<double>(bucket ? std::min(bucket->high, max_) : max_);
    result.high = std::max(high, result.value);
  }
  return result;
}

double Histogram::mean() const {
  require_values(1);
  double sum = static_cast<double>(overflow_) * static_cast<double>(range_.highest);
  for (const Bucket& bucket : buckets()) {
    sum += static_cast<double>(bucket.count) * bucket.middle();
  }
  return sum / static_cast<double>(count_);
}

double Histogram::stdev() const {
  require_values(2);
  const double center = mean();
  const auto square = [center](double value) { return (value - center) * (value - center); };
  double sum = static_cast<double>(overflow_) * square(static_cast<double>(range_.highest));
  for (const Bucket& bucket : buckets()) {
    sum += static_cast<double>(bucket.count) * square(bucket.middle());
  }
  return std::sqrt(sum / static_cast<double>(count_ - 1));
}

std::optional<std::uint64_t> Histogram::min() const {
  return count_ > 0 ? std::optional(min_) : std::nullopt;
}

std::optional<std::uint64_t> Histogram::max() const {
  return count_ > 0 ? std::optional(max_) : std::nullopt;
}

std::size_t Histogram::memory_bytes() const {
  return sizeof(*this) + counts_.size() * sizeof(counts_[0]);
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> result;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] > 0) {
      result.push_back(bucket(i));
    }
  }
  return result;
}

Histogram Histogram::restore(const Range& range, std::span<const Bucket> buckets,
                             std::uint64_t overflow, std::uint64_t min, std::uint64_t max) {
  Histogram result(range);
  for (const Bucket& bucket : buckets) {
    if (bucket.low > range.highest) {
      throw std::invalid_argument("buckets: the bucket at " + std::to_string(bucket.low) +
                                  " lies above highest (" + std::to_string(range.highest) + ")");
    }
    result.counts_[result.index(bucket.low)] += bucket.count;
    result.count_ += bucket.count;
  }
  result.overflow_ = overflow;
  result.count_ += overflow;
  if (result.count_ > 0) {
    if (min > max) {
      throw std::invalid_argument("min: must not exceed max (" + std::to_string(max) + "), got " +
                                  std::to_string(min));
    }
    result.min_ = min;
    result.max_ = max;
  }
  return result;
}

Histogram::Bucket Histogram::bucket(std::size_t index) const {
  const int half_bits = linear_bits_ - 1;
  const std::size_t halves = index >> half_bits;
  const std::size_t scale = halves > 1 ? halves - 1 : 0;
  const int shift = unit_bits_ + static_cast<int>(scale);
  const std::uint64_t low = static_cast<std::uint64_t>(index - (scale << half_bits)) << shift;
  const std::uint64_t width = std::uint64_t{1} << shift;
  return {low, std::min(low + (width - 1), range_.highest), counts_[index]};
}

std::optional<Histogram::Bucket> Histogram::at_rank(std::uint64_t rank) const {
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) {
      return bucket(i);
    }
  }
  return std::nullopt;
}

void Histogram::require_values(std::uint64_t needed) const {
  if (count_ < needed) {
    throw std::invalid_argument("histogram: needs at least " + std::to_string(needed) +
                                " recorded value(s) for this, has " + std::to_string(count_));
  }
}

}  // namespace stratoperf
