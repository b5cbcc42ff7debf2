#include <doctest.h>

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "core/bootstrap.hpp"
#include "core/moments.hpp"
#include "core/quantile.hpp"
#include "core/random.hpp"

using stratoperf::mean_resampler;
using stratoperf::quantile_resampler;

namespace {

std::vector<double> replicates_of(stratoperf::Resampler& resampler, std::size_t count) {
  std::vector<double> result(count);
  resampler.fill(result);
  return result;
}

std::vector<double> normal_draws(std::size_t n) {
  stratoperf::Random random(7);
  std::vector<double> draws(n);
  for (double& draw : draws) {
    draw = random.normal();
  }
  return draws;
}

}  // namespace

TEST_CASE("the replicates of a seed do not depend on how they are asked for") {
  const std::vector<double> samples = normal_draws(100);
  for (const std::size_t block : {std::size_t{1}, std::size_t{7}}) {
    const auto at_once = replicates_of(*quantile_resampler(samples, 0.9, {block, 3}), 50);
    const auto in_parts = quantile_resampler(samples, 0.9, {block, 3});
    std::vector<double> parts = replicates_of(*in_parts, 20);
    for (const double replicate : replicates_of(*in_parts, 30)) {
      parts.push_back(replicate);
    }
    CHECK(parts == at_once);
    CHECK(replicates_of(*quantile_resampler(samples, 0.9, {block, 4}), 50) != at_once);
    CHECK(replicates_of(*quantile_resampler(samples, 0.9, {block, 3, 1}), 50) != at_once);
  }
}

TEST_CASE("ranks drawn from the beta distribution resample as picking one by one does") {
  // The median of 4 draws from 4 samples averages two order statistics; enumerating the 256
  // equally likely resamples gives the exact distribution.
  const std::vector<double> samples{0, 1, 10, 100};
  constexpr std::size_t kCount = 200'000;
  const std::vector<double> drawn =
      replicates_of(*quantile_resampler(samples, 0.5, {1, 5}), kCount);
  for (const double limit : {0.0, 0.5, 1.0, 5.0, 5.5, 10.0, 50.0, 50.5, 55.0}) {
    int exact = 0;
    for (int code = 0; code < 256; ++code) {
      std::vector<double> resample;
      for (int shift = 0; shift < 8; shift += 2) {
        resample.push_back(samples[static_cast<std::size_t>(code >> shift & 3)]);
      }
      exact += stratoperf::quantile(resample, 0.5) <= limit;
    }
    std::size_t observed = 0;
    for (const double replicate : drawn) {
      observed += replicate <= limit;
    }
    const double p = exact / 256.0;
    const double deviation = std::sqrt(p * (1 - p) / kCount);
    CHECK(std::abs(static_cast<double>(observed) / kCount - p) <= 4.5 * deviation + 1e-12);
  }
}

TEST_CASE("the mean of a resample varies as theory says") {
  const std::vector<double> samples = normal_draws(400);
  const stratoperf::Moments all = stratoperf::moments(samples);
  const auto means = replicates_of(*mean_resampler(samples, {1, 1}), 20'000);
  const stratoperf::Moments spread = stratoperf::moments(means);
  CHECK(std::abs(spread.mean - all.mean) < 0.002);
  CHECK(*spread.stdev == doctest::Approx(*all.stdev / 20).epsilon(0.03));
}

TEST_CASE("a block as long as the series only rotates it") {
  const std::vector<double> samples = normal_draws(50);
  const double median = stratoperf::quantile(samples, 0.5);
  for (const double replicate : replicates_of(*quantile_resampler(samples, 0.5, {50, 1}), 20)) {
    CHECK(replicate == median);
  }
}

TEST_CASE("longer correlation asks for longer blocks, within the series") {
  CHECK(stratoperf::block_length(10'000, 100) == 335);  // (1.5 * 50^2 * 10^4)^(1/3), rounded up
  CHECK(stratoperf::block_length(10, 1000) == 10);
  CHECK(stratoperf::block_length(1, 1) == 1);
}

TEST_CASE("the moments of gamma variables are those of the distribution") {
  stratoperf::Random random(11);
  for (const double shape : {1.0, 2.5, 400.0}) {
    std::vector<double> draws(100'000);
    for (double& draw : draws) {
      draw = random.gamma(shape);
    }
    const stratoperf::Moments drawn = stratoperf::moments(draws);
    CHECK(drawn.mean == doctest::Approx(shape).epsilon(0.015));
    CHECK(*drawn.stdev == doctest::Approx(std::sqrt(shape)).epsilon(0.03));
  }
}

TEST_CASE("a block that does not fit is refused") {
  const std::vector<double> samples{1, 2, 3};
  CHECK_THROWS_AS(quantile_resampler(samples, 0.5, {0, 1}), std::invalid_argument);
  CHECK_THROWS_AS(mean_resampler(samples, {4, 1}), std::invalid_argument);
  CHECK_THROWS_AS(quantile_resampler({}, 0.5, {1, 1}), std::invalid_argument);
  CHECK_THROWS_AS(quantile_resampler(samples, 2, {1, 1}), std::invalid_argument);
}
