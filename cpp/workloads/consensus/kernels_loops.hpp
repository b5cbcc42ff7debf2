// The loops themselves. Each kernels_<instruction set>.cpp includes this file once, after defining
//
//   template <typename Word>
//   std::uint64_t zero_mask(const Word* cells, Word mask);
//
// which sets bit i where (cells[i] & mask) == 0, for 64 cells, and classify_block (see
// kernels_classify.hpp).
//
// Everything is in an anonymous namespace and nothing from the standard library is called: a
// function that the linker shares between files could end up with instructions that this CPU
// lacks.
//
// What bounds a round of 10,000 votes: reading 160 KB at the bandwidth of the cache level where
// the batch lies, and one read-modify-write of a first-level cache for each vote, of which current
// cores retire one a cycle (2.7 us at 3.7 GHz). Measured with AVX-512 on such a core: 5 us for
// classifying and adding together, of which classifying alone takes 2; 2 us for the pass over the
// table, a quarter of it for naming equivocators; 0.3 us for clearing it. The gap: the two parts
// of a block hardly overlap, and the pass moves each comparison's mask out of its register alone.
#pragma once

#include "workloads/consensus/kernels_scratch.hpp"

namespace stratoperf::consensus {
namespace {

template <typename Cell>
void add_votes(Cell cell, const Limits& limits, const Votes& votes, typename Cell::Word* table,
               std::uint64_t* own_reasons) {
  Scratch scratch;
  std::uint64_t passed[kOwnReasons] = {};
  for (std::uint64_t begin = 0; begin < votes.count; begin += kBlock) {
    const std::uint64_t left = votes.count - begin;
    const Votes block = {votes.voter + begin, votes.proposal + begin, votes.value + begin,
                         votes.round + begin, left < kBlock ? left : kBlock};
    const std::uint32_t size = classify_block(limits, cell.scale(), block, scratch, passed);
#pragma GCC unroll 8
    for (std::uint32_t i = 0; i < size; ++i) {
      typename Cell::Word& target = table[scratch.index[i]];
      target = cell.add(target, scratch.scaled_value[i]);
    }
  }
  std::uint64_t before = votes.count;
  for (std::uint32_t reason = 0; reason < kOwnReasons; ++reason) {
    own_reasons[reason] += before - passed[reason];
    before = passed[reason];
  }
}

// Appends the voters begin + i for every set bit i of `several`.
inline Equivocator* name_equivocators(Equivocator* end, std::uint32_t proposal, std::uint32_t begin,
                                      std::uint64_t several) {
  Equivocator* const after = end + __builtin_popcountll(several);
  // How many there are is a toss that a branch would lose time and again. So a few are always
  // written; those that were none are overwritten by the next.
  for (std::uint32_t i = 0; i < kUnbranched; ++i) {
    const std::uint64_t bits = several | std::uint64_t{1} << 63;  // ctz of 0 is undefined
    *end++ = {proposal, begin + static_cast<std::uint32_t>(__builtin_ctzll(bits))};
    several &= several - 1;
  }
  for (; several != 0; several &= several - 1) {
    *end++ = {proposal, begin + static_cast<std::uint32_t>(__builtin_ctzll(several))};
  }
  return after;
}

// Adds the cells of one row to its tallies.
template <typename Word>
void summarize_row(const Rows<CounterCell<Word>>& rows, const Word* row, std::uint32_t proposal,
                   std::uint32_t* tally, RowTotals& totals) {
  const Word all = static_cast<Word>(~Word{0});
  for (std::uint32_t begin = 0; begin < rows.limits.nodes; begin += 64) {
    const std::uint32_t left = rows.limits.nodes - begin;
    const std::uint64_t inside = left < 64 ? (std::uint64_t{1} << left) - 1 : ~std::uint64_t{0};
    const Word* cells = row + begin;
    const std::uint64_t voted = ~zero_mask(cells, all) & inside;
    std::uint64_t single = 0;
    for (std::uint32_t value = 0; value < rows.limits.values; ++value) {
      const std::uint64_t only =
          zero_mask(cells, static_cast<Word>(all ^ rows.cell.counter(value))) & voted;
      tally[value] += static_cast<std::uint32_t>(__builtin_popcountll(only));
      single |= only;
    }
    totals.accepted += static_cast<std::uint64_t>(__builtin_popcountll(single));
    if (const std::uint64_t several = voted & ~single; several != 0) {
      Equivocator* const end = rows.equivocators + totals.equivocators;
      totals.equivocators = static_cast<std::uint64_t>(
          name_equivocators(end, proposal, begin, several) - rows.equivocators);
    }
  }
}

void summarize_row(const Rows<WideCell>& rows, const std::uint64_t* row, std::uint32_t proposal,
                   std::uint32_t* tally, RowTotals& totals) {
  for (std::uint32_t voter = 0; voter < rows.limits.nodes; ++voter) {
    const std::uint64_t word = row[voter];
    if (word == 0) {
      continue;
    }
    if (rows.cell.equivocates(word)) {
      rows.equivocators[totals.equivocators++] = {proposal, voter};
    } else {
      ++tally[rows.cell.value(word)];
      ++totals.accepted;
    }
  }
}

template <typename Cell>
RowTotals summarize(const Rows<Cell>& rows) {
  RowTotals totals;
  const std::uint32_t values = rows.limits.values;
  for (std::uint32_t proposal = rows.first; proposal < rows.last; ++proposal) {
    std::uint32_t* tally = rows.tallies + std::uint64_t{proposal} * values;
    __builtin_memset(tally, 0, values * sizeof(std::uint32_t));
    summarize_row(rows, rows.table + std::uint64_t{proposal} * rows.limits.nodes, proposal, tally,
                  totals);
    std::int64_t decided = -1;
    for (std::uint32_t value = 0; value < values; ++value) {
      decided = tally[value] >= rows.quorum ? std::int64_t{value} : decided;
    }
    rows.decided[proposal] = decided;
  }
  for (std::uint64_t i = 0; i < totals.equivocators; ++i) {
    const auto [proposal, voter] = rows.equivocators[i];
    totals.equivocal_votes +=
        rows.cell.votes(rows.table[std::uint64_t{proposal} * rows.limits.nodes + voter]);
  }
  return totals;
}

template <typename Cell>
constexpr CellKernels<Cell> kCellKernels = {add_votes<Cell>, summarize<Cell>};

constexpr Kernels kKernels = {kCellKernels<NarrowCell>, kCellKernels<MiddleCell>,
                              kCellKernels<LongCell>, kCellKernels<WideCell>};

}  // namespace
}  // namespace stratoperf::consensus
