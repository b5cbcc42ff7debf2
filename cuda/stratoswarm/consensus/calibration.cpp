#include "cuda/stratoswarm/consensus/calibration.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace stratoperf::cuda::consensus {
namespace {

using Clock = std::chrono::steady_clock;

// The first rounds of a mode make kernels resident and record graphs.
constexpr int kWarmUp = 2;

// An odd number, so that the median is one of them; modes differ by microseconds, and a median of
// so many rounds of 10 us is good to a tenth of that. Fewer where rounds are long, and modes alike.
constexpr std::size_t kRounds = 31;
constexpr std::size_t kFewestRounds = 3;
constexpr auto kEnough = std::chrono::milliseconds(5);

double median(std::vector<double>& times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

}  // namespace

bool calibrate(Engine& engine, std::uint32_t slot, std::uint64_t count, const Stop& stop,
               Calibration& calibration) {
  calibration = {};
  double best = std::numeric_limits<double>::infinity();
  for (const Mode mode : kModes) {
    if (!engine.can_decide(mode, count)) {
      continue;
    }
    for (int i = 0; i < kWarmUp; ++i) {
      if (!engine.decide(slot, count, mode, stop)) {
        return false;
      }
    }
    std::vector<double> times;
    const auto begin = Clock::now();
    while (times.size() < kFewestRounds ||
           (times.size() < kRounds && Clock::now() - begin < kEnough)) {
      const auto start = Clock::now();
      if (!engine.decide(slot, count, mode, stop)) {
        return false;
      }
      times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    }
    const double time = median(times);
    calibration.microseconds.emplace_back(mode, time);
    if (time < best) {
      best = time;
      calibration.fastest = mode;
    }
  }
  return true;
}

}  // namespace stratoperf::cuda::consensus
