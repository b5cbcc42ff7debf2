// A seeded generator whose numbers are the same on every platform (those of <random>'s
// distributions are not).
#pragma once

#include <array>
#include <cstdint>

namespace stratoperf {

// xoshiro256++ 1.0 (Blackman & Vigna, ACM Trans. Math. Softw. 47, 2021), seeded by SplitMix64.
class Random {
 public:
  // Streams of one seed are independent of each other.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0);

  std::uint64_t next();
  // Uniform over 0 .. n - 1; n > 0. The bias, under n / 2^64, is out of reach of any use.
  std::uint64_t below(std::uint64_t n);
  // Uniform over the open interval (0, 1).
  double uniform();
  // Standard normal, by the polar method (Marsaglia & Bray 1964).
  double normal();
  // Gamma(shape, 1) for shape >= 1 (Marsaglia & Tsang, ACM Trans. Math. Softw. 26, 2000).
  double gamma(double shape);

 private:
  std::array<std::uint64_t, 4> state_ = {};
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

}  // namespace stratoperf
