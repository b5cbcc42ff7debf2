// What the loops keep beside the table: votes on their way into it, and sums.
#pragma once

#include "stratoswarm/consensus/kernels.hpp"

namespace stratoperf::consensus {
namespace {

// What is added to which cell, for `Size` votes: the addend where it is prepared, else the scaled
// value. Either in two arrays, as loops that the compiler vectorizes write them best, ...
template <std::uint32_t Size>
struct SplitGroup {
  std::uint32_t index(std::uint32_t i) const { return indices[i]; }
  std::uint32_t payload(std::uint32_t i) const { return payloads[i]; }

  alignas(64) std::uint32_t indices[Size];
  alignas(64) std::uint32_t payloads[Size];
};

// ... or side by side in one word, so that a vote is read at once.
template <std::uint32_t Size>
struct PairedGroup {
  std::uint32_t index(std::uint32_t i) const { return static_cast<std::uint32_t>(pairs[i]); }
  std::uint32_t payload(std::uint32_t i) const {
    return static_cast<std::uint32_t>(pairs[i] >> 32);
  }

  alignas(64) std::uint64_t pairs[Size];
};

// Whether addends are prepared while votes are classified: where they fit a payload and the
// instruction set shifts each lane of a register by its own distance.
template <typename Cell, bool LanesShift>
constexpr bool prepares_addends() {
  return LanesShift && sizeof(typename Cell::Word) <= sizeof(std::uint32_t);
}

// The votes that cells hold, summed up block by block on the way through a table, where an
// instruction set has a quick way for that kind of cell.
template <typename Cell>
class VoteSums {
 public:
  explicit VoteSums(const Cell& /*cell*/) {}

  template <typename Block>
  void add(const Block& /*block*/, std::uint64_t /*several*/) {}

  bool complete() const { return false; }  // whether the sums hold
  std::uint64_t all() const { return 0; }
  std::uint64_t equivocal() const { return 0; }
};

}  // namespace
}  // namespace stratoperf::consensus
