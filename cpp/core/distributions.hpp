// The probability distributions that the statistics need, and no more of them.
#pragma once

#include <cstdint>

namespace stratoperf {

// Regularized incomplete beta function I_x(a, b): the probability that a Beta(a, b) variable is
// at most x. a, b > 0; x in [0, 1].
double beta_cdf(double x, double a, double b);

// The probability that a Gamma(shape, 1) variable exceeds x. shape > 0.
double gamma_upper_tail(double shape, double x);

// The probability that a standard normal variable is at most x.
double normal_cdf(double x);

// The x that a standard normal variable stays below with probability p in (0, 1).
double normal_quantile(double p);

// The half-width t with P(-t <= T <= t) = confidence for Student's t with dof > 0 (need not be
// an integer); `confidence` in (0, 1).
double student_t_half_width(double confidence, double dof);

// Ranks (counted from 1) of the order statistics that bound a quantile.
struct Ranks {
  std::uint64_t low = 0;   // 0: no order statistic bounds it from below
  std::uint64_t high = 0;  // n + 1: none bounds it from above
};

// Exact, equal-tailed, distribution-free ranks of n independent samples for quantile q in [0, 1]:
// P(x_(low) > quantile) and P(x_(high) < quantile) are each at most (1 - confidence) / 2, and as
// close to it as ranks allow. The number of samples below the quantile is Binomial(n, q).
// Source: David & Nagaraja, Order Statistics, 3rd ed., section 7.1.
Ranks binomial_ranks(std::uint64_t n, double q, double confidence);

}  // namespace stratoperf
