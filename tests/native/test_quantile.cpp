#include <doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/quantile.hpp"

using stratoperf::Interval;
using stratoperf::quantile_interval;

namespace {

std::vector<double> normal_draws(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  std::vector<double> draws(n);
  for (double& draw : draws) {
    draw = normal(engine);
  }
  return draws;
}

}  // namespace

TEST_CASE("the value interpolates linearly between order statistics") {
  const std::vector<double> samples{40, 10, 30, 20};
  CHECK(quantile_interval(samples, 0.5, 0.95).value == 25);
  CHECK(quantile_interval(samples, 0.25, 0.95).value == 17.5);
  CHECK(quantile_interval(samples, 0, 0.95).value == 10);
  CHECK(quantile_interval(samples, 1, 0.95).value == 40);
}

TEST_CASE("the bounds are the order statistics at the exact binomial ranks") {
  // P(Binomial(10, 1/2) < 2) = 0.0107 and P(Binomial(10, 1/2) < 3) = 0.0547: ranks 2 and 9.
  const std::vector<double> samples{3, 9, 1, 10, 7, 2, 8, 5, 4, 6};
  const Interval median = quantile_interval(samples, 0.5, 0.95);
  CHECK(median.low == 2);
  CHECK(median.high == 9);
}

TEST_CASE("a side that no order statistic bounds is empty") {
  const std::vector<double> samples = normal_draws(100, 1);
  const Interval p99 = quantile_interval(samples, 0.99, 0.95);
  CHECK(p99.low.has_value());
  CHECK_FALSE(p99.high.has_value());
  for (const std::size_t n : {std::size_t{1}, std::size_t{2}}) {
    const Interval median = quantile_interval(std::span(samples).first(n), 0.5, 0.95);
    CHECK_FALSE(median.low.has_value());
    CHECK_FALSE(median.high.has_value());
  }
}

TEST_CASE("the extreme quantiles are bounded by the extreme samples on the inner side only") {
  const std::vector<double> samples = normal_draws(50, 2);
  const Interval lowest = quantile_interval(samples, 0, 0.95);
  CHECK_FALSE(lowest.low.has_value());
  CHECK(lowest.high == lowest.value);
  const Interval highest = quantile_interval(samples, 1, 0.95);
  CHECK(highest.low == highest.value);
  CHECK_FALSE(highest.high.has_value());
}

TEST_CASE("a constant series has an interval of no width and is not called correlated") {
  const std::vector<double> samples(1000, 7.0);
  const Interval median = quantile_interval(samples, 0.5, 0.95);
  CHECK(median.value == 7);
  CHECK(median.low == 7);
  CHECK(median.high == 7);
  CHECK_FALSE(median.widened);
  CHECK(median.effective_size == 1000);
}

TEST_CASE("independent draws keep their full effective size") {
  const Interval median = quantile_interval(normal_draws(10000, 3), 0.5, 0.95);
  CHECK_FALSE(median.widened);
  CHECK(median.effective_size == 10000);
}

TEST_CASE("correlated samples widen the interval") {
  std::vector<double> samples = normal_draws(10000, 4);
  for (std::size_t i = 1; i < samples.size(); ++i) {
    samples[i] = 0.9 * samples[i - 1] + std::sqrt(1 - 0.81) * samples[i];
  }
  const Interval median = quantile_interval(samples, 0.5, 0.95);
  CHECK(median.widened);
  CHECK(median.effective_size > 400);  // 760 on average
  CHECK(median.effective_size < 1300);
}

TEST_CASE("a single lasting shift widens the interval by what it was, not by what is seldom") {
  std::vector<double> samples = normal_draws(10000, 5);
  for (std::size_t i = samples.size() / 2; i < samples.size(); ++i) {
    samples[i] += 100;
  }
  samples[7000] = 1e9;
  const Interval median = quantile_interval(samples, 0.5, 0.95);
  CHECK(median.widened);
  CHECK(median.effective_size < 20);
  CHECK(median.low.value() < 1);
  CHECK(median.low.value() > -10);
  CHECK(median.high.value() > 99);
  CHECK(median.high.value() < 300);
}

TEST_CASE("the intervals of drifting series are nested, beyond what eight parts can bound") {
  std::vector<double> samples = normal_draws(1000, 6);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] += 0.01 * static_cast<double>(i);
  }
  double narrower = 0;
  for (const double confidence : {0.5, 0.9, 0.95, 0.99, 0.995, 0.9999}) {
    const Interval median = quantile_interval(samples, 0.5, confidence);
    CHECK(median.low.value() <= median.value);
    CHECK(median.value <= median.high.value());
    CHECK(*median.high - *median.low >= narrower);
    narrower = *median.high - *median.low;
  }
  CHECK(narrower > 15);  // the drift is 10
}

TEST_CASE("bad arguments are refused") {
  const std::vector<double> samples{1, 2, 3};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(quantile_interval({}, 0.5, 0.95), std::invalid_argument);
  CHECK_THROWS_AS(quantile_interval(samples, 1.5, 0.95), std::invalid_argument);
  CHECK_THROWS_AS(quantile_interval(samples, nan, 0.95), std::invalid_argument);
  CHECK_THROWS_AS(quantile_interval(samples, 0.5, 1), std::invalid_argument);
  CHECK_THROWS_AS(quantile_interval(std::vector{1.0, nan}, 0.5, 0.95), std::invalid_argument);
  CHECK_THROWS_AS(quantile_interval(std::vector{1.0, infinity}, 0.5, 0.95), std::invalid_argument);
}

TEST_CASE("the interval encloses the value, however few the samples") {
  const std::vector<double> samples{1, 2};
  const Interval p99 = quantile_interval(samples, 0.99, 0.95);
  CHECK(p99.value == 1.99);
  CHECK(p99.low == 1);
  CHECK(quantile_interval(samples, 0.01, 0.95).high == 2);
}
