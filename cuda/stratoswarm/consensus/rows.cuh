// Summing up one row of cells, or a piece of one, by one warp.
#pragma once

#include <cstdint>

#include "cuda/device/kernel.cuh"
#include "cuda/stratoswarm/consensus/votes.cuh"

namespace stratoperf::cuda::consensus {

// So many values have a lane each, which counts the cells with this value alone.
inline constexpr std::uint32_t kLaneValues = kWarp;

// What a warp finds in a row.
struct RowSums {
  std::uint32_t tally = 0;            // of the value that is the lane's number, up to kLaneValues
  std::uint32_t accepted = 0;         // of all lanes, in every lane
  std::uint32_t equivocators = 0;     // of all lanes, in every lane
  std::uint32_t equivocal_votes = 0;  // of this lane's cells
  std::uint32_t short_counts = 0;     // of this lane's cells, where counters are short
};

// Tells for one voter of each lane who equivocates: a bit for each lane, in every lane.
template <typename Cell>
__device__ inline std::uint32_t equivocating_lanes(const Cell& cell, typename Cell::Word word) {
  return __ballot_sync(kAllLanes, word != 0 && cell.equivocates(word));
}

// Sums up the cells of `voters` voters. More than kLaneValues values are tallied in `tallies`
// (zero before): lanes with the same value leave it to the first of them.
template <typename Cell>
__device__ inline RowSums sum_row(const Cell& cell, const Limits& limits,
                                  const typename Cell::Word* row, std::uint32_t voters,
                                  std::uint32_t* tallies) {
  const std::uint32_t lane = lane_number();
  RowSums sums;
  for (std::uint32_t base = 0; base < voters; base += kWarp) {
    const std::uint32_t voter = base + lane;
    const typename Cell::Word word = voter < voters ? row[voter] : typename Cell::Word{0};
    const std::uint32_t value = word != 0 ? cell.value(word) : 0;
    const bool single = word != 0 && cell.has_only(word, value);
    const bool several = word != 0 && !single;
    sums.equivocators += static_cast<std::uint32_t>(__popc(__ballot_sync(kAllLanes, several)));
    if (several) {
      sums.equivocal_votes += static_cast<std::uint32_t>(cell.votes(word));
    }
    if (cell.counts_short()) {
      sums.short_counts += static_cast<std::uint32_t>(cell.votes(word));
    }
    sums.accepted += static_cast<std::uint32_t>(__popc(__ballot_sync(kAllLanes, single)));
    if (limits.values <= kLaneValues) {
      for (std::uint32_t candidate = 0; candidate < limits.values; ++candidate) {
        const std::uint32_t lanes = __ballot_sync(kAllLanes, single && value == candidate);
        if (lane == candidate) {
          sums.tally += static_cast<std::uint32_t>(__popc(lanes));
        }
      }
    } else {
      constexpr std::uint32_t kNoValue = 0xffffffffu;
      const std::uint32_t lanes = __match_any_sync(kAllLanes, single ? value : kNoValue);
      if (single && lane == static_cast<std::uint32_t>(__ffs(static_cast<int>(lanes)) - 1)) {
        atomicAdd(&tallies[value], static_cast<std::uint32_t>(__popc(lanes)));
      }
    }
  }
  return sums;
}

// The value that a row is decided for, by the tallies in the lanes; -1 where it is undecided. In
// every lane.
__device__ inline std::int64_t winner(const RowSums& sums, const Limits& limits,
                                      std::uint32_t quorum) {
  const bool wins = lane_number() < limits.values && sums.tally >= quorum;
  return __ffs(static_cast<int>(__ballot_sync(kAllLanes, wins))) - 1;
}

// Names the equivocators among `voters` voters from `first` on, in order.
template <typename Cell>
__device__ inline Equivocator* list_equivocators(const Cell& cell, const typename Cell::Word* row,
                                                 std::uint32_t proposal, std::uint32_t first,
                                                 std::uint32_t voters, Equivocator* end) {
  const std::uint32_t lane = lane_number();
  for (std::uint32_t base = 0; base < voters; base += kWarp) {
    const std::uint32_t voter = base + lane;
    const typename Cell::Word word = voter < voters ? row[voter] : typename Cell::Word{0};
    const std::uint32_t lanes = equivocating_lanes(cell, word);
    const std::uint32_t before = lanes & ((1u << lane) - 1);
    if ((lanes >> lane & 1) != 0) {
      end[__popc(before)] = {proposal, first + voter};
    }
    end += __popc(lanes);
  }
  return end;
}

// The numbers of an outcome, from those of all votes.
template <typename Count>
__device__ inline void fill_header(Header* header, std::uint64_t count, const Count* passed,
                                   std::uint64_t accepted, std::uint64_t equivocal_votes,
                                   std::uint64_t equivocators) {
  using stratoperf::consensus::kDuplicate;
  using stratoperf::consensus::kEquivocation;
  std::uint64_t before = count;
  for (std::uint32_t reason = 0; reason < kOwnReasons; ++reason) {
    header->rejected[reason] = before - passed[reason];
    before = passed[reason];
  }
  // Every valid vote was accepted, or lost by equivocation, or repeats an accepted one.
  header->rejected[kEquivocation] = equivocal_votes;
  header->rejected[kDuplicate] = before - accepted - equivocal_votes;
  header->accepted = accepted;
  header->equivocators = equivocators;
}

}  // namespace stratoperf::cuda::consensus
