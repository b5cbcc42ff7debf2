// Finds the fastest mode by trying.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "cuda/stratoswarm/consensus/engine.hpp"

namespace stratoperf::cuda::consensus {

struct Calibration {
  Mode fastest = Mode::kLaunch;
  // For each mode that can decide such a batch: the median round, host to host.
  std::vector<std::pair<Mode, double>> microseconds = {};
};

// Decides the batch of `count` votes in a slot several times in each mode. False when `stop` said
// so. The device must be current.
bool calibrate(Engine& engine, std::uint32_t slot, std::uint64_t count, const Stop& stop,
               Calibration& calibration);

}  // namespace stratoperf::cuda::consensus
