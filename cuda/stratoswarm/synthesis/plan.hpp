// How the work of a match is spread over a device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/device/device.hpp"
#include "cuda/stratoswarm/synthesis/cells.hpp"
#include "cuda/stratoswarm/synthesis/kernels.hpp"

namespace stratoperf::cuda::synthesis {

// Cells of a pass: 288 MB of device memory, and 2^31 comparisons, which take some 0.4 ms. The
// largest table has so many cells for one pattern.
inline constexpr std::uint32_t kPassCells = 1u << 23;

// What tests, which are small, make smaller.
struct Limits {
  std::uint32_t pass_cells = kPassCells;
  std::uint32_t keys = kMostKeys;
};

struct Plan {
  std::uint32_t row = 0;            // cells of one pattern
  std::uint32_t pass_patterns = 0;  // of all passes but the last, which may have fewer
  std::uint32_t passes = 0;
  std::uint32_t tile = 0;  // keys that a block compares
};

Plan plan_for(std::uint32_t nodes, std::uint32_t patterns, const Limits& limits,
              const DeviceFacts& facts);

// The blocks that compare so many patterns, in tiles.
unsigned blocks_for(const Plan& plan, std::uint32_t patterns, const DeviceFacts& facts);

}  // namespace stratoperf::cuda::synthesis
