// The two loops of a round over many votes, compiled once for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "stratoswarm/consensus/rules.hpp"
#include "stratoswarm/instruction_sets.hpp"

namespace stratoperf::consensus {

// A table has this many cells more than the round needs: votes that do not count are added there
// instead of being branched around, spread out so that they do not wait for each other, and whole
// groups of cells may be read past the last row.
inline constexpr std::uint32_t kSpareCells = 64;

// Equivocators among 64 voters that are written without a branch.
inline constexpr std::uint32_t kUnbranched = 4;

// One row of the table becomes one row of the outcome.
template <typename Cell>
struct Rows {
  Cell cell;
  Limits limits;
  std::uint32_t quorum;
  const typename Cell::Word* table;
  std::uint32_t first;  // proposals [first, last)
  std::uint32_t last;
  std::int64_t* decided;      // [proposals], -1 where undecided
  std::uint32_t* tallies;     // [proposals][values]
  Equivocator* equivocators;  // room for kUnbranched more than there can be
};

// What a range of rows adds up to.
struct RowTotals {
  std::uint64_t accepted = 0;
  std::uint64_t equivocal_votes = 0;
  std::uint64_t equivocators = 0;  // written
  std::uint64_t short_counts = 0;  // the sum of all counters, where they are short
};

// The loops for one kind of cell.
template <typename Cell>
struct CellKernels {
  // Adds votes to the table and counts, by reason, those rejected for a reason of their own.
  void (*add_votes)(Cell cell, const Limits& limits, const Votes& votes, typename Cell::Word* table,
                    std::uint64_t* own_reasons);
  // Tallies and decides rows; names equivocators in the order of (proposal, voter).
  RowTotals (*summarize)(const Rows<Cell>& rows);
};

using ByteCell = CounterCell<std::uint8_t>;
using NarrowCell = CounterCell<std::uint16_t>;
using MiddleCell = CounterCell<std::uint32_t>;
using LongCell = CounterCell<std::uint64_t>;

// The loops for one instruction set.
struct Kernels : CellKernels<ByteCell>,
                 CellKernels<NarrowCell>,
                 CellKernels<MiddleCell>,
                 CellKernels<LongCell>,
                 CellKernels<WideCell> {
  template <typename Cell>
  const CellKernels<Cell>& of() const {
    return *this;
  }
};

using InstructionSet = dispatch::InstructionSet<Kernels>;

// The instruction sets that this CPU has, the widest first; the last is the baseline.
std::span<const InstructionSet> instruction_sets();

// The one with this name; the widest for an empty name. Throws std::invalid_argument.
const InstructionSet& instruction_set(std::string_view name);

}  // namespace stratoperf::consensus
