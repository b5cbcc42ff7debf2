// Reading votes and adding them to cells: the same for one block and for the whole device.
#pragma once

#include <cstdint>

#include "cuda/device/kernel.cuh"
#include "cuda/device/warp.cuh"
#include "cuda/stratoswarm/consensus/layout.hpp"
#include "stratoswarm/consensus/rules.hpp"

namespace stratoperf::cuda::consensus {

using stratoperf::consensus::Checks;
using stratoperf::consensus::CounterCell;
using stratoperf::consensus::kOwnReasons;
using stratoperf::consensus::WideCell;

// Adds a vote to its cell. A cell of a whole word takes one atomic addition, whose result nobody
// waits for.
template <typename Word>
__device__ inline void add_to_cell(const CounterCell<Word>& cell, Word* table, std::uint32_t index,
                                   std::uint32_t value) {
  const Word addend = cell.addend(value * cell.scale());
  if constexpr (sizeof(Word) == sizeof(std::uint64_t)) {
    atomic_add(&table[index], addend);
  } else if constexpr (sizeof(Word) == sizeof(std::uint32_t)) {
    atomicAdd(&table[index], addend);
  } else {
    // Several cells share the word that atomics work on. A short counter that overflows may carry
    // into the next cell, where it counts as one vote as well: the sum still falls short.
    constexpr std::uint32_t kCells = sizeof(std::uint32_t) / sizeof(Word);
    auto* const words = reinterpret_cast<std::uint32_t*>(table);
    atomicAdd(&words[index / kCells],
              std::uint32_t{addend} << (index % kCells * (8 * sizeof(Word))));
  }
}

__device__ inline void add_to_cell(const WideCell& cell, std::uint64_t* table, std::uint32_t index,
                                   std::uint32_t value) {
  const std::uint64_t addend = cell.addend(value * cell.scale());
  std::uint64_t expected = 0;  // most cells have no vote yet
  for (;;) {
    const std::uint64_t found =
        atomic_compare_and_swap(&table[index], expected, cell.add(expected, addend));
    if (found == expected) {
      return;
    }
    expected = found;
  }
}

// How many votes of a thread passed the first check, the first two, and so on.
struct Passed {
  std::uint32_t checks[kOwnReasons] = {};

  __device__ void add(const Checks& vote) {
    checks[0] += vote.authorized;
    checks[1] += vote.current;
    checks[2] += vote.proposal_known;
    checks[3] += vote.valid;
  }
};

// Four votes, each column in one load: a warp reads 512 bytes of a column at a time.
struct FourVotes {
  uint4 voter;
  uint4 proposal;
  uint4 value;
  uint4 round;
};

// Votes are read once: what is cached should be the table.
__device__ inline uint4 load_four(const std::uint32_t* column, std::uint64_t group) {
  return __ldcs(reinterpret_cast<const uint4*>(column) + group);
}

template <typename Cell>
class VoteAdder {
 public:
  __device__ VoteAdder(const Cell& cell, const Limits& limits, const Votes& votes,
                       typename Cell::Word* table)
      : cell_(cell), limits_(limits), votes_(votes), table_(table) {}

  // The groups of four, the last of which may be incomplete.
  __device__ std::uint64_t groups() const { return (votes_.count + 3) / 4; }

  __device__ FourVotes load(std::uint64_t group) const {
    return {load_four(votes_.voter, group), load_four(votes_.proposal, group),
            load_four(votes_.value, group), load_four(votes_.round, group)};
  }

  __device__ void add(std::uint64_t group, const FourVotes& four) {
    const std::uint64_t first = group * 4;
    add_vote(first, four.voter.x, four.proposal.x, four.value.x, four.round.x);
    add_vote(first + 1, four.voter.y, four.proposal.y, four.value.y, four.round.y);
    add_vote(first + 2, four.voter.z, four.proposal.z, four.value.z, four.round.z);
    add_vote(first + 3, four.voter.w, four.proposal.w, four.value.w, four.round.w);
  }

  __device__ const Passed& passed() const { return passed_; }

 private:
  __device__ void add_vote(std::uint64_t number, std::uint32_t voter, std::uint32_t proposal,
                           std::uint32_t value, std::uint32_t round) {
    if (number >= votes_.count) {
      return;
    }
    const Checks vote = stratoperf::consensus::check(limits_, voter, proposal, value, round);
    passed_.add(vote);
    if (vote.valid != 0) {
      add_to_cell(cell_, table_, stratoperf::consensus::cell_index(limits_, voter, proposal),
                  value);
    }
  }

  Cell cell_;
  Limits limits_;
  Votes votes_;
  typename Cell::Word* table_;
  Passed passed_ = {};
};

// Groups of four votes that a thread has asked for before it adds the first: 128 bytes for each
// thread, 128 KiB for 1024 of them. The bus, with 50 GB/s and 1 us, holds 50 KB at a time.
inline constexpr int kGroupsInFlight = 2;

// One thread's share of the votes: every `step`-th group from `first` on. `before_adding` is called
// once, after the first groups were asked for, and may synchronize the block.
template <typename Cell, typename BeforeAdding>
__device__ inline void add_votes(VoteAdder<Cell>& adder, std::uint64_t first, std::uint64_t step,
                                 BeforeAdding&& before_adding) {
  const std::uint64_t groups = adder.groups();
  FourVotes ring[kGroupsInFlight];
#pragma unroll
  for (int i = 0; i < kGroupsInFlight; ++i) {
    const std::uint64_t group = first + static_cast<unsigned>(i) * step;
    if (group < groups) {
      ring[i] = adder.load(group);
    }
  }
  before_adding();
  for (std::uint64_t base = first; base < groups; base += kGroupsInFlight * step) {
#pragma unroll
    for (int i = 0; i < kGroupsInFlight; ++i) {
      const std::uint64_t group = base + static_cast<unsigned>(i) * step;
      const std::uint64_t next = group + kGroupsInFlight * step;
      if (group < groups) {
        adder.add(group, ring[i]);
      }
      if (next < groups) {
        ring[i] = adder.load(next);
      }
    }
  }
}

}  // namespace stratoperf::cuda::consensus
