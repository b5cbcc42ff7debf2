// How a batch is decided on a device: with which cells, and by how many threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/device/device.hpp"
#include "cuda/stratoswarm/consensus/layout.hpp"

namespace stratoperf::cuda::consensus {

constexpr unsigned kWarpThreads = 32;

// Cells from narrow to wide. The last holds any number of values; the others hold a counter for
// each.
enum class CellKind : std::uint8_t { kByte, kNarrow, kMiddle, kLong, kWide };

struct Plan {
  bool one_block = false;  // with the cells in shared memory; otherwise the whole device
  CellKind cell = CellKind::kWide;
  std::uint32_t count_bits = 0;
  unsigned threads = 0;  // of a block
  unsigned vote_blocks = 1;
  unsigned row_blocks = 1;
  std::size_t shared_bytes = 0;

  friend bool operator==(const Plan&, const Plan&) = default;
};

// More votes than this are decided by the whole device, whatever fits into shared memory. Reading
// over the bus, one multiprocessor gets perhaps 20 GB/s, all of them 50; the latter cost three
// kernels and a table in device memory, some 10 us more. The two are even at 330 KB, 20,000 votes.
inline constexpr std::uint64_t kBlockVotes = 32'768;

// Voters of a row that a warp of the whole device goes through at a time. Longer rows are tallied
// by several warps in device memory, which costs one atomic addition for each of them and value.
inline constexpr std::uint32_t kSegment = 2048;

// The plan for batches of up to `votes`. Equal for many numbers of votes: one graph, or one
// persistent kernel, serves them all.
Plan plan_for(const Limits& limits, std::uint64_t votes, const DeviceFacts& facts);

// The plan for the same batch when short counters have overflowed.
Plan without_short_counters(const Plan& plan, const Limits& limits, std::uint64_t votes);

// Whether one block can decide such batches.
bool fits_one_block(const Limits& limits, std::uint64_t votes, const DeviceFacts& facts);

// Bytes of a cell.
std::size_t cell_bytes(CellKind cell);

// Pieces of rows that the warps of the whole device share out.
constexpr std::uint64_t segments_of(const Limits& limits, std::uint32_t segment) {
  return std::uint64_t{limits.proposals} * ((limits.nodes + segment - 1) / segment);
}

}  // namespace stratoperf::cuda::consensus
