// The shared memory of a round in one block.
#pragma once

#include <cstdint>

#include "cuda/stratoswarm/consensus/layout.hpp"

namespace stratoperf::cuda::consensus {

// Warps of the largest block; one warp takes one row at a time.
inline constexpr std::uint32_t kMaxWarps = 32;

// What the warps of a block tell each other.
struct BlockTotals {
  Header header;
  std::uint64_t request;
  std::uint32_t passed[stratoperf::consensus::kOwnReasons];
  std::uint32_t accepted;
  std::uint32_t equivocal_votes;
  // Of the rows that the warps went through last, and of those before: a warp may be ahead by one
  // barrier.
  std::uint32_t equivocators[2][kMaxWarps];
  std::int64_t decided[2][kMaxWarps];
};

// Where the parts begin: BlockTotals, tallies of two rows for each warp, cells.
struct SharedLayout {
  std::uint64_t tallies;
  std::uint64_t cells;
  std::uint64_t bytes;
};

STRATOPERF_HOST_DEVICE SharedLayout shared_layout(const Limits& limits, std::uint32_t warps,
                                                  std::uint64_t cell_bytes) {
  constexpr std::uint64_t kAligned = 16;  // what shared memory itself is aligned to
  constexpr std::uint64_t kTallies = (sizeof(BlockTotals) + kAligned - 1) / kAligned * kAligned;
  const std::uint64_t tallies = std::uint64_t{2} * warps * limits.values * sizeof(std::uint32_t);
  const std::uint64_t cells = kTallies + (tallies + kAligned - 1) / kAligned * kAligned;
  return {kTallies, cells, cells + std::uint64_t{limits.nodes} * limits.proposals * cell_bytes};
}

}  // namespace stratoperf::cuda::consensus
