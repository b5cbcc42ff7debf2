#include <doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "core/histogram.hpp"

using stratoperf::Histogram;

namespace {

std::vector<std::uint64_t> log_uniform(std::size_t n) {
  std::mt19937_64 engine(1);
  std::vector<std::uint64_t> values(n);
  for (std::uint64_t& value : values) {
    value = engine() >> (23 + engine() % 41);  // up to 2^41 - 1
  }
  return values;
}

}  // namespace

TEST_CASE("a bucket holds its value and is no wider than the digits promise") {
  for (int digits = 1; digits <= 5; ++digits) {
    Histogram histogram({.digits = digits});
    for (const std::uint64_t value : log_uniform(300)) {
      histogram.reset();
      histogram.record(value);
      const std::vector<Histogram::Bucket> buckets = histogram.buckets();
      REQUIRE(buckets.size() == 1);
      CHECK(buckets[0].low <= value);
      CHECK(value <= buckets[0].high);
      CHECK(static_cast<double>(buckets[0].high - buckets[0].low) <=
            static_cast<double>(value) * std::pow(10.0, -digits));
    }
  }
}

TEST_CASE("adjacent values fall into the same or adjacent buckets") {
  Histogram histogram({.lowest = 4, .highest = 100'000, .digits = 1});
  for (std::uint64_t value = 0; value <= 100'000; ++value) {
    histogram.record(value);
  }
  std::uint64_t next = 0;
  for (const Histogram::Bucket& bucket : histogram.buckets()) {
    CHECK(bucket.low == next);
    CHECK(bucket.count == bucket.high - bucket.low + 1);
    next = bucket.high + 1;
  }
  CHECK(next == 100'001);
}

TEST_CASE("the largest range works up to its last value") {
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  Histogram histogram({.highest = largest, .digits = 2});
  histogram.record(largest);
  CHECK(histogram.overflow() == 0);
  CHECK(histogram.max() == largest);
  CHECK(histogram.buckets()[0].high == largest);
}

TEST_CASE("values above the range are counted as overflow, never lost") {
  Histogram histogram({.highest = 1000, .digits = 2});
  histogram.record(500);
  histogram.record(1001);
  histogram.record(5000);
  CHECK(histogram.count() == 3);
  CHECK(histogram.overflow() == 2);
  CHECK(histogram.max() == 5000);
  CHECK(histogram.quantile(1) == 1000);
  CHECK(histogram.quantile(0) == 500.5);  // the middle of 500 and 501
}

TEST_CASE("recording many equals recording each") {
  const std::vector<std::uint64_t> values = log_uniform(5000);
  Histogram each({.highest = 1'000'000'000});
  for (const std::uint64_t value : values) {
    each.record(value);
  }
  const std::vector<double> floats(values.begin(), values.end());
  const std::vector<std::int64_t> integers(values.begin(), values.end());
  Histogram from_floats(each.range());
  Histogram from_integers(each.range());
  Histogram from_naturals(each.range());
  from_floats.record_many(floats);
  from_integers.record_many(integers);
  from_naturals.record_many(values);
  for (const Histogram* other : {&from_floats, &from_integers, &from_naturals}) {
    CHECK(other->count() == each.count());
    CHECK(other->overflow() == each.overflow());
    CHECK(other->min() == each.min());
    CHECK(other->max() == each.max());
    for (const double q : {0.0, 0.1, 0.5, 0.9, 1.0}) {
      CHECK(other->quantile(q) == each.quantile(q));
    }
  }
}

TEST_CASE("quantiles lie within the promised digits of the true ones") {
  const std::vector<std::uint64_t> values = log_uniform(5001);
  const std::vector<double> samples(values.begin(), values.end());
  Histogram histogram({});
  histogram.record_many(values);
  for (double q = 0; q <= 1; q += 1.0 / 64) {
    const double exact = stratoperf::quantile(samples, q);
    CHECK(std::abs(histogram.quantile(q) - exact) <= 0.5e-3 * exact + 0.5);
  }
}

TEST_CASE("a refused value leaves the histogram as it was") {
  Histogram histogram({});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(histogram.record_many(std::vector{1.0, nan}), std::invalid_argument);
  CHECK_THROWS_AS(histogram.record_many(std::vector{1.0, infinity}), std::invalid_argument);
  CHECK_THROWS_AS(histogram.record_many(std::vector<std::int64_t>{1, -1}), std::invalid_argument);
  CHECK(histogram.count() == 0);
}

TEST_CASE("merging adds counts, and refuses what it could not keep apart") {
  Histogram small({.highest = 10'000, .digits = 3});
  small.record(123);
  small.record(9999);
  Histogram large({});
  large.record(1'000'000);
  large.merge(small);
  CHECK(large.count() == 3);
  CHECK(large.min() == 123);
  CHECK(large.max() == 1'000'000);

  CHECK_THROWS_AS(small.merge(large), std::invalid_argument);  // 1'000'000 does not fit
  CHECK(small.count() == 2);

  Histogram coarse({.digits = 1});
  coarse.record(999'999);
  CHECK_THROWS_AS(large.merge(coarse), std::invalid_argument);  // its bucket is too wide
  coarse.merge(large);
  CHECK(coarse.count() == 4);

  small.record(20'000);
  CHECK_THROWS_AS(large.merge(small), std::invalid_argument);  // how large was the overflow?
  Histogram twin(small.range());
  twin.merge(small);
  CHECK(twin.overflow() == 1);
}

TEST_CASE("restoring gives the same histogram") {
  Histogram histogram({.highest = 1'000'000});
  histogram.record_many(log_uniform(1000));
  const Histogram copy =
      Histogram::restore(histogram.range(), histogram.buckets(), histogram.overflow(),
                         *histogram.min(), *histogram.max());
  CHECK(copy.count() == histogram.count());
  CHECK(copy.overflow() == histogram.overflow());
  CHECK(copy.mean() == histogram.mean());
  CHECK(copy.stdev() == histogram.stdev());
  CHECK(copy.quantile(0.9) == histogram.quantile(0.9));
}

TEST_CASE("an impossible range is refused") {
  CHECK_THROWS_AS(Histogram({.digits = 0}), std::invalid_argument);
  CHECK_THROWS_AS(Histogram({.digits = 6}), std::invalid_argument);
  CHECK_THROWS_AS(Histogram({.lowest = 0}), std::invalid_argument);
  CHECK_THROWS_AS(Histogram({.lowest = 10, .highest = 15}), std::invalid_argument);
  CHECK_THROWS_AS(Histogram({.lowest = std::uint64_t{1} << 60, .highest = UINT64_MAX}),
                  std::invalid_argument);
}

TEST_CASE("an empty histogram has no quantile, mean or extremes") {
  const Histogram histogram({});
  CHECK_THROWS_AS(histogram.quantile(0.5), std::invalid_argument);
  CHECK_THROWS_AS(histogram.mean(), std::invalid_argument);
  CHECK_FALSE(histogram.min().has_value());
  CHECK_FALSE(histogram.max().has_value());
}
