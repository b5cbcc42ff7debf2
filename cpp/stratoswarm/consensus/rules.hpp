// The rules of a quorum round, one vote and one cell at a time. Every backend uses these, but for
// those of a cell's votes (`has_only`, `equivocates`), which the fast kernels restate for whole
// rows: summarize_row in kernels_loops.inc, sum_row in rows.cuh. Tests hold all to one reference.
//
// A round keeps one cell for each (proposal, voter). Adding a vote to a cell commutes, so neither
// the order of votes nor their distribution over threads can change the outcome.
#pragma once

#include <bit>
#include <cstdint>

#include "core/host_device.hpp"

namespace stratoperf::consensus {

// The votes of a batch: structure of arrays, not owned.
struct Votes {
  const std::uint32_t* voter = nullptr;
  const std::uint32_t* proposal = nullptr;
  const std::uint32_t* value = nullptr;
  const std::uint32_t* round = nullptr;
  std::uint64_t count = 0;
};

// A voter that showed two values for one proposal.
struct Equivocator {
  std::uint32_t proposal;
  std::uint32_t voter;
};

// What a vote must stay below, and the round that it must be for.
struct Limits {
  std::uint32_t nodes;
  std::uint32_t proposals;
  std::uint32_t values;
  std::uint32_t round;
};

// Why a vote does not count, in the order of precedence. Authentication would come first.
enum Reason : std::uint32_t {
  kUnauthorizedVoter,
  kStaleRound,
  kProposalOutOfRange,
  kValueOutOfRange,
  kEquivocation,  // this and the next depend on the other votes of the same cell
  kDuplicate,
  kReasons,
};

// The reasons that a vote shows by itself, and the code for a vote that shows none of them.
inline constexpr std::uint32_t kOwnReasons = kEquivocation;
inline constexpr std::uint32_t kValid = kOwnReasons;

// The checks of a vote, in the order of precedence: each is 1 only if those before it are. Their
// sum is the first reason of its own for which the vote is rejected, or kValid. Plain arithmetic,
// so that loops over votes vectorize and no branch predictor learns a batch.
struct Checks {
  std::uint32_t authorized;
  std::uint32_t current;
  std::uint32_t proposal_known;
  std::uint32_t valid;
};

// Any other round than the current one is stale: a vote for a later round is no evidence for this
// one either.
STRATOPERF_HOST_DEVICE Checks check(const Limits& limits, std::uint32_t voter,
                                    std::uint32_t proposal, std::uint32_t value,
                                    std::uint32_t round) {
  const auto authorized = static_cast<std::uint32_t>(voter < limits.nodes);
  const auto current = authorized & static_cast<std::uint32_t>(round == limits.round);
  const auto proposal_known = current & static_cast<std::uint32_t>(proposal < limits.proposals);
  const auto valid = proposal_known & static_cast<std::uint32_t>(value < limits.values);
  return {authorized, current, proposal_known, valid};
}

// The cell of a valid vote. Fits 32 bits: a round has at most 2^31 cells.
STRATOPERF_HOST_DEVICE std::uint32_t cell_index(const Limits& limits, std::uint32_t voter,
                                                std::uint32_t proposal) {
  return proposal * limits.nodes + voter;
}

// The bits that a counter needs for so many votes.
inline std::uint32_t bits_to_count(std::uint64_t votes) {
  return static_cast<std::uint32_t>(std::bit_width(votes | 1));
}

// Bits of a counter that hopes for at most 15 votes of one voter for one value.
inline constexpr std::uint32_t kShortCount = 4;

// The sums of the short counts in a word, in four fields of 16 bits: at most 60 each.
STRATOPERF_HOST_DEVICE std::uint64_t short_counts(std::uint64_t word) {
  static_assert(kShortCount == 4);
  const std::uint64_t pairs = (word & 0x0f0f0f0f0f0f0f0fu) + ((word >> 4) & 0x0f0f0f0f0f0f0f0fu);
  return (pairs & 0x00ff00ff00ff00ffu) + ((pairs >> 8) & 0x00ff00ff00ff00ffu);
}

// A cell for few values: one counter for each, `count_bits` wide, side by side in a word. A vote is
// one addition: the cheapest thing that a memory cell can take, and a single atomic on a device.
//
// Either a counter is wide enough for all votes of the batch, or it has kShortCount bits, which
// keeps the table small. A short counter that overflows carries one vote to its neighbor and loses
// the others: the sum of all counters is then below the number of votes added, whatever else
// happens, and the batch must be decided again with wide ones.
template <typename CellWord>
struct CounterCell {
  using Word = CellWord;

  std::uint32_t count_bits;
  std::uint32_t values;

  // Adding a vote for a value is adding addend(value * scale()). The remainder does nothing for a
  // valid vote; it keeps the shift of any other one defined.
  STRATOPERF_HOST_DEVICE std::uint32_t scale() const { return count_bits; }
  STRATOPERF_HOST_DEVICE static Word addend(std::uint32_t scaled_value) {
    return static_cast<Word>(Word{1} << scaled_value % (8 * sizeof(Word)));
  }
  STRATOPERF_HOST_DEVICE Word add(Word cell, Word addend) const { return merge(cell, addend); }
  STRATOPERF_HOST_DEVICE Word merge(Word a, Word b) const { return static_cast<Word>(a + b); }
  STRATOPERF_HOST_DEVICE bool counts_short() const { return count_bits == kShortCount; }
  // The bits that count votes for a value.
  STRATOPERF_HOST_DEVICE Word counter(std::uint32_t value) const {
    const Word lowest = static_cast<Word>(~(static_cast<Word>(~Word{0}) << count_bits));
    return static_cast<Word>(lowest << (value * count_bits));
  }
  STRATOPERF_HOST_DEVICE std::uint64_t votes(Word cell) const {
    if (counts_short()) {
      if constexpr (sizeof(Word) == 1) {
        return std::uint64_t{cell} % 16 + std::uint64_t{cell} / 16;
      }
      return short_counts(cell) * 0x0001000100010001u >> 48;
    }
    std::uint64_t sum = 0;
    for (std::uint32_t value = 0; value < values; ++value) {
      sum += static_cast<Word>(cell >> (value * count_bits)) & counter(0);
    }
    return sum;
  }
  // The lowest value that has votes; for a cell with any. `has_only` tells whether no other has.
  STRATOPERF_HOST_DEVICE std::uint32_t value(Word cell) const {
    std::uint32_t value = 0;
    while ((cell & counter(value)) == 0) {
      ++value;
    }
    return value;
  }
  STRATOPERF_HOST_DEVICE bool has_only(Word cell, std::uint32_t value) const {
    return (cell & ~counter(value)) == 0;
  }
  STRATOPERF_HOST_DEVICE bool equivocates(Word cell) const { return !has_only(cell, value(cell)); }
};

// A cell for any number of values: the first value added (32 bits), whether another one followed
// (1 bit), and how many votes were added (31 bits). Which value is first depends on the order, but
// it is read only where all are equal.
struct WideCell {
  using Word = std::uint64_t;

  static constexpr Word kConflict = Word{1} << 32;
  static constexpr Word kVote = Word{1} << 33;

  STRATOPERF_HOST_DEVICE std::uint32_t scale() const { return 1; }
  STRATOPERF_HOST_DEVICE static Word addend(std::uint32_t scaled_value) {
    return kVote | scaled_value;
  }
  STRATOPERF_HOST_DEVICE Word add(Word cell, Word addend) const { return merge(cell, addend); }
  STRATOPERF_HOST_DEVICE Word merge(Word a, Word b) const {
    if (a == 0 || b == 0) {
      return a | b;
    }
    const Word differ = value(a) == value(b) ? 0 : kConflict;
    return (a | differ | (b & kConflict)) + (b & ~(kVote - 1));
  }
  STRATOPERF_HOST_DEVICE static bool counts_short() { return false; }
  STRATOPERF_HOST_DEVICE std::uint64_t votes(Word cell) const { return cell / kVote; }
  STRATOPERF_HOST_DEVICE static bool has_only(Word cell, std::uint32_t /*value*/) {
    return (cell & kConflict) == 0;
  }
  STRATOPERF_HOST_DEVICE bool equivocates(Word cell) const { return (cell & kConflict) != 0; }
  STRATOPERF_HOST_DEVICE std::uint32_t value(Word cell) const {
    return static_cast<std::uint32_t>(cell);
  }
};

}  // namespace stratoperf::consensus
