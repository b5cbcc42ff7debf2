#include "core/distributions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace stratoperf {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
// Stands for a zero denominator in Lentz's evaluation of continued fractions.
constexpr double kTiny = 1e-300;

// std::lgamma writes a global sign; this one can be called from several threads.
double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

double away_from_zero(double value) { return std::abs(value) < kTiny ? kTiny : value; }

// The continued fraction of the incomplete beta function, DLMF 8.17.22, by Lentz's method.
double beta_fraction(double x, double a, double b) {
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double result = d;
  // Converges in O(sqrt(max(a, b))) steps on the side of the mean where it is used.
  const double limit = 200 + 10 * std::sqrt(std::max(a, b));
  for (double m = 1; m <= limit; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    result *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    const double step = d * c;
    result *= step;
    if (std::abs(step - 1) < kEpsilon) {
      break;
    }
  }
  return result;
}

// The largest rank k with P(Binomial(n, q) < k) <= tail; 0 if only that will do.
std::uint64_t lower_rank(std::uint64_t n, double q, double tail) {
  if (q >= 1) {
    return n;  // every sample is at or below the quantile
  }
  const double odds = q / (1 - q);
  const auto mode = static_cast<std::uint64_t>(
      std::min(static_cast<double>(n), std::floor((static_cast<double>(n) + 1) * q)));
  const auto count = static_cast<double>(n);
  // Probabilities relative to that of the mode need no factorials; a term below this changes
  // neither sum.
  constexpr double kNegligible = 1e-20;
  double upper = 0;
  double term = 1;
  for (auto k = static_cast<double>(mode); k < count && term > kNegligible; ++k) {
    term *= odds * (count - k) / (k + 1);
    upper += term;
  }
  double lower = 1;
  term = 1;
  std::uint64_t k = mode;
  for (; k > 0 && term > kNegligible; --k) {
    const auto at = static_cast<double>(k);
    term *= at / (odds * (count - at + 1));
    lower += term;
  }
  const double allowed = tail * (lower + upper);
  double sum = 0;
  for (;; ++k) {
    sum += term;
    if (sum > allowed || k == n) {
      return k;
    }
    const auto at = static_cast<double>(k);
    term *= odds * (count - at) / (at + 1);
  }
}

}  // namespace

double beta_cdf(double x, double a, double b) {
  if (x <= 0 || x >= 1) {
    return x <= 0 ? 0 : 1;
  }
  const double front = std::exp(a * std::log(x) + b * std::log1p(-x) + log_gamma(a + b) -
                                log_gamma(a) - log_gamma(b));
  if (x < (a + 1) / (a + b + 2)) {
    return front * beta_fraction(x, a, b) / a;
  }
  return 1 - front * beta_fraction(1 - x, b, a) / b;
}

double gamma_upper_tail(double shape, double x) {
  if (x <= 0) {
    return 1;
  }
  // Beyond this shape the normal distribution is as good (Wilson & Hilferty 1931).
  constexpr double kLargeShape = 1e6;
  if (shape > kLargeShape) {
    const double spread = 1 / (9 * shape);
    return 1 - normal_cdf((std::cbrt(x / shape) - (1 - spread)) / std::sqrt(spread));
  }
  const double front = std::exp(shape * std::log(x) - x - log_gamma(shape));
  const double limit = 200 + 10 * std::sqrt(shape);
  if (x < shape + 1) {  // the series DLMF 8.11.4
    double term = 1 / shape;
    double sum = term;
    for (double n = 1; n <= limit && term > sum * kEpsilon; ++n) {
      term *= x / (shape + n);
      sum += term;
    }
    return 1 - front * sum;
  }
  double b = x + 1 - shape;  // the continued fraction DLMF 8.9.2
  double c = 1 / kTiny;
  double d = 1 / away_from_zero(b);
  double result = d;
  for (double n = 1; n <= limit; ++n) {
    const double a = -n * (n - shape);
    b += 2;
    d = 1 / away_from_zero(a * d + b);
    c = away_from_zero(b + a / c);
    result *= d * c;
    if (std::abs(d * c - 1) < kEpsilon) {
      break;
    }
  }
  return front * result;
}

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double normal_quantile(double p) {
  // Abramowitz & Stegun 26.2.23 (error below 4.5e-4), then Halley's method to full precision.
  const double tail = std::min(p, 1 - p);
  const double t = std::sqrt(-2 * std::log(tail));
  double x = (2.515517 + t * (0.802853 + t * 0.010328)) /
                 (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
             t;
  for (int i = 0; i < 2; ++i) {
    const double error = normal_cdf(x) - tail;
    const double step = error * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
    x -= step / (1 + x * step / 2);
  }
  return p < 0.5 ? x : -x;
}

double student_t_half_width(double confidence, double dof) {
  // T^2 / (dof + T^2) is Beta(1/2, dof/2); bisection cannot diverge, however small dof is.
  double low = 0;
  double high = 1;
  for (int i = 0; i < 200 && high - low > 4 * kEpsilon * low; ++i) {
    const double middle = (low + high) / 2;
    (beta_cdf(middle, 0.5, dof / 2) < confidence ? low : high) = middle;
  }
  const double y = (low + high) / 2;
  return std::sqrt(dof * y / (1 - y));
}

Ranks binomial_ranks(std::uint64_t n, double q, double confidence) {
  const double tail = (1 - confidence) / 2;
  return {lower_rank(n, q, tail), n + 1 - lower_rank(n, 1 - q, tail)};
}

}  // namespace stratoperf
