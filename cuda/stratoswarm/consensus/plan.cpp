#include "cuda/stratoswarm/consensus/plan.hpp"

#include <algorithm>
#include <bit>

#include "cuda/stratoswarm/consensus/shared.hpp"

namespace stratoperf::cuda::consensus {
namespace {

using stratoperf::consensus::bits_to_count;
using stratoperf::consensus::kShortCount;

constexpr unsigned kMaxThreads = kMaxWarps * kWarpThreads;

// Of a block when the whole device works: four of them fill a multiprocessor, as many threads as
// can hold two groups of four votes each in registers.
constexpr unsigned kGridThreads = 256;
constexpr unsigned kBlocksPerMultiprocessor = 4;

// What one thread takes on before another one is worth having: a group of four votes, or clearing
// and summing up some cells.
constexpr std::uint64_t kVotesPerThread = 4;
constexpr std::uint64_t kCellsPerThread = 16;

// The narrowest cell that has a counter of that many bits for every value.
CellKind cell_for(const Limits& limits, std::uint32_t count_bits) {
  const std::uint64_t bits = std::uint64_t{limits.values} * count_bits;
  return bits <= 8    ? CellKind::kByte
         : bits <= 16 ? CellKind::kNarrow
         : bits <= 32 ? CellKind::kMiddle
         : bits <= 64 ? CellKind::kLong
                      : CellKind::kWide;
}

// How many blocks so much work is spread over.
unsigned blocks_for(std::uint64_t threads, const DeviceFacts& facts) {
  const std::uint64_t most =
      std::uint64_t{kBlocksPerMultiprocessor} * static_cast<unsigned>(facts.multiprocessors);
  return static_cast<unsigned>(
      std::clamp<std::uint64_t>((threads + kGridThreads - 1) / kGridThreads, 1, most));
}

// The largest block that is of use and fits into shared memory; 0 threads where none does.
Plan block_plan(const Limits& limits, std::uint64_t votes, const DeviceFacts& facts) {
  Plan plan = {.one_block = true, .count_bits = bits_to_count(votes)};
  // Shared memory adds 32-bit words by itself and takes several steps for any other.
  plan.cell = std::max(cell_for(limits, plan.count_bits), CellKind::kMiddle);
  const std::uint64_t useful =
      std::max(votes / kVotesPerThread, cells_of(limits) / kCellsPerThread);
  for (plan.threads = static_cast<unsigned>(
           std::clamp<std::uint64_t>(std::bit_ceil(useful), kWarpThreads, kMaxThreads));
       plan.threads >= kWarpThreads; plan.threads /= 2) {
    plan.shared_bytes =
        shared_layout(limits, plan.threads / kWarpThreads, cell_bytes(plan.cell)).bytes;
    if (plan.shared_bytes <= facts.shared_bytes_per_block) {
      return plan;
    }
  }
  plan.threads = 0;
  return plan;
}

// The largest number of votes that counters of the same width can count.
std::uint64_t rounded_up(std::uint64_t votes) { return std::bit_ceil(votes + 1) - 1; }

}  // namespace

std::size_t cell_bytes(CellKind cell) {
  switch (cell) {
    case CellKind::kByte:
      return 1;
    case CellKind::kNarrow:
      return 2;
    case CellKind::kMiddle:
      return 4;
    default:
      return 8;
  }
}

bool fits_one_block(const Limits& limits, std::uint64_t votes, const DeviceFacts& facts) {
  return votes <= kBlockVotes && block_plan(limits, rounded_up(votes), facts).threads > 0;
}

Plan plan_for(const Limits& limits, std::uint64_t votes, const DeviceFacts& facts) {
  const std::uint64_t planned = rounded_up(votes);
  if (fits_one_block(limits, votes, facts)) {
    return block_plan(limits, planned, facts);
  }
  Plan plan = {.threads = kGridThreads};
  plan.count_bits = bits_to_count(planned);
  // Hardly any batch has 16 equal votes of one voter, so short counters are tried first.
  if (plan.count_bits > kShortCount && limits.values <= 64 / kShortCount) {
    plan.count_bits = kShortCount;
  }
  plan.cell = cell_for(limits, plan.count_bits);
  plan.vote_blocks = blocks_for(planned / kVotesPerThread, facts);
  plan.row_blocks = blocks_for(segments_of(limits, kSegment) * kWarpThreads, facts);
  return plan;
}

Plan without_short_counters(const Plan& plan, const Limits& limits, std::uint64_t votes) {
  Plan wide = plan;
  wide.count_bits = bits_to_count(rounded_up(votes));
  wide.cell = cell_for(limits, wide.count_bits);
  return wide;
}

}  // namespace stratoperf::cuda::consensus
