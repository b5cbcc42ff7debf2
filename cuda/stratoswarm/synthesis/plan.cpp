#include "cuda/stratoswarm/synthesis/plan.hpp"

#include <algorithm>

namespace stratoperf::cuda::synthesis {
namespace {

constexpr std::uint32_t kWarps = kThreads / 32;

// Blocks that fill the device: a thread takes some 40 registers.
constexpr std::uint32_t kBlocksPerMultiprocessor = 6;

// Times that they do so, at the most: the last ones finish at about the same time.
constexpr std::uint32_t kWaves = 8;

// Fewer keys in a tile are not worth loading the nodes once more.
constexpr std::uint32_t kFewestKeys = 8;

constexpr std::uint32_t divided(std::uint32_t number, std::uint32_t by) {
  return (number + by - 1) / by;
}

std::uint32_t full_device(const DeviceFacts& facts) {
  return kBlocksPerMultiprocessor * static_cast<std::uint32_t>(facts.multiprocessors);
}

}  // namespace

Plan plan_for(std::uint32_t nodes, std::uint32_t patterns, const Limits& limits,
              const DeviceFacts& facts) {
  Plan plan = {};
  plan.row = divided(nodes, kCellNodes);
  plan.pass_patterns = std::clamp(limits.pass_cells / plan.row, 1u, patterns);
  plan.passes = divided(patterns, plan.pass_patterns);
  plan.tile = std::min(plan.pass_patterns, limits.keys);
  // A small table alone does not fill the device: several blocks take its nodes, with fewer keys.
  while (plan.tile > kFewestKeys &&
         std::uint64_t{divided(plan.row, kWarps)} * divided(plan.pass_patterns, plan.tile) <
             full_device(facts)) {
    plan.tile = divided(plan.tile, 2);
  }
  return plan;
}

unsigned blocks_for(const Plan& plan, std::uint32_t patterns, const DeviceFacts& facts) {
  const std::uint32_t tiles = divided(patterns, plan.tile);
  return tiles * std::min(divided(plan.row, kWarps), divided(kWaves * full_device(facts), tiles));
}

}  // namespace stratoperf::cuda::synthesis
