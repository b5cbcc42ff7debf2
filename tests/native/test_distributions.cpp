#include <doctest.h>

#include "core/distributions.hpp"

using namespace stratoperf;

TEST_CASE("tabulated values come out") {
  CHECK(normal_quantile(0.975) == doctest::Approx(1.959963984540054).epsilon(1e-14));
  CHECK(normal_quantile(1e-10) == doctest::Approx(-6.361340902404056).epsilon(1e-12));
  CHECK(student_t_half_width(0.95, 1) == doctest::Approx(12.706204736174698).epsilon(1e-12));
  CHECK(student_t_half_width(0.95, 5) == doctest::Approx(2.5705818356363146).epsilon(1e-12));
  CHECK(student_t_half_width(0.99, 1e6) == doctest::Approx(2.575834).epsilon(1e-6));
  CHECK(beta_cdf(0.5, 2, 3) == doctest::Approx(0.6875).epsilon(1e-14));
  CHECK(gamma_upper_tail(3, 5) == doctest::Approx(0.12465201948308113).epsilon(1e-12));
  CHECK(gamma_upper_tail(2e6, 2e6) == doctest::Approx(0.5).epsilon(1e-3));
}

TEST_CASE("binomial ranks are exact and as narrow as they can be") {
  // 95 %: P(Binomial(1000, 1/2) <= 468) = 0.0231 and P(<= 469) = 0.0268.
  const Ranks median = binomial_ranks(1000, 0.5, 0.95);
  CHECK(median.low == 469);
  CHECK(median.high == 532);
  // The smallest n for which the extremes bound the median with 95 %: 2 * 2^-6 < 0.05.
  CHECK(binomial_ranks(5, 0.5, 0.95).low == 0);
  CHECK(binomial_ranks(5, 0.5, 0.95).high == 6);
  CHECK(binomial_ranks(6, 0.5, 0.95).low == 1);
  CHECK(binomial_ranks(6, 0.5, 0.95).high == 6);
}

TEST_CASE("no samples have no ranks") {
  const Ranks none = binomial_ranks(0, 0.5, 0.95);
  CHECK(none.low == 0);
  CHECK(none.high == 1);
}

TEST_CASE("the ranks of many samples match the normal approximation") {
  const Ranks ranks = binomial_ranks(100'000'000, 0.5, 0.95);
  CHECK(static_cast<double>(ranks.low) == doctest::Approx(5e7 - 9799.8).epsilon(1e-7));
  CHECK(ranks.low + ranks.high == 100'000'001);
}
