// What the kernels of a round are told.
#pragma once

#include <cstdint>

#include "cuda/device/doorbell.hpp"
#include "cuda/stratoswarm/consensus/layout.hpp"

namespace stratoperf::cuda::consensus {

// What the blocks of the whole device add up; all zero between rounds.
struct GridTotals {
  std::uint64_t request;                                     // what is being decided
  std::uint64_t passed[stratoperf::consensus::kOwnReasons];  // votes that passed so many checks
  std::uint64_t accepted;
  std::uint64_t equivocal_votes;
  std::uint64_t short_counts;  // the sum of all counters, where they are short
  std::uint32_t blocks_done;
};

// Device memory of a round over the whole device.
struct GridMemory {
  void* table;  // one cell for each (proposal, voter); zero between rounds
  GridTotals* totals;
  std::uint32_t* warp_equivocators;  // [row warps] how many each warp found in its segments
  std::uint32_t* block_equivocators;
  std::uint32_t* tallies;  // [proposals][values], zero between rounds; null where a warp can tally
                           // a whole row by itself
  std::uint32_t segment;   // voters of a row that a warp goes through at a time
};

// All that does not change from batch to batch.
struct Work {
  Layout layout;
  std::uint32_t quorum;
  std::uint32_t count_bits;  // of a counter, where cells have counters
  unsigned char* slots;
  HeaderLine* headers;
  Mailbox* mailbox;
  GridMemory grid;
};

}  // namespace stratoperf::cuda::consensus
