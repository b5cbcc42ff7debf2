// The bootstrap: what a statistic would have been in other samples of the same population.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace stratoperf {

// Draws replicates of one statistic. Each is the statistic of a resample: as many samples as the
// series has, in blocks of adjacent ones that start anywhere and wrap around its end (the circular
// block bootstrap: Politis & Romano, in Exploring the Limits of Bootstrap, 1992). Blocks of one
// sample are Efron's bootstrap, right for independent samples. The same seed gives the same
// replicates, however they are split over calls.
class Resampler {
 public:
  Resampler() = default;
  Resampler(const Resampler&) = delete;
  Resampler& operator=(const Resampler&) = delete;
  virtual ~Resampler() = default;

  virtual void fill(std::span<double> replicates) = 0;
};

// Which statistic, and how it is resampled.
struct Resampling {
  std::size_t block = 1;  // samples per block, from 1 to the number of samples
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;  // sets apart the series of one seed
};

// Both copy what they need of the samples, and throw std::invalid_argument for no samples, a block
// out of range, or q outside [0, 1].
std::unique_ptr<Resampler> quantile_resampler(std::span<const double> samples, double q,
                                              const Resampling& resampling);
std::unique_ptr<Resampler> mean_resampler(std::span<const double> samples,
                                          const Resampling& resampling);

// The block length that estimates the variance of a mean best, from 1 to n. It is the automatic
// choice of Politis & White (Econometric Reviews 23, 2004, corrected by Patton, Politis & White,
// ibid. 28, 2009) for the circular bootstrap, with the spectrum at zero of an autocorrelation
// that decays exponentially and has this integrated time.
std::size_t block_length(std::size_t n, double correlation_time);

}  // namespace stratoperf
