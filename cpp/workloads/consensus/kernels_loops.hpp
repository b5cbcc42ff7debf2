// The loops themselves. Each kernels_<instruction set>.cpp includes this file once, after defining
//
//   template <typename Word>
//   std::uint64_t zero_mask(const Word* cells, Word mask);
//
// which sets bit i where (cells[i] & mask) == 0, for 64 cells.
//
// Everything is in an anonymous namespace and nothing from the standard library is called: a
// function that the linker shares between files could end up with instructions that this CPU
// lacks.
//
// What bounds a round of 10,000 votes: 160 KB read at the bandwidth of the cache level where the
// batch lies, and 10,000 dependent-free read-modify-writes of a table in the first-level cache, at
// two memory reads for the code and index, one for the cell, and one write each. Classification
// (16 votes at a time with AVX-512) and the pass over the table cost about a tenth of the latter.
#pragma once

#include "workloads/consensus/kernels.hpp"

namespace stratoperf::consensus {
namespace {

// Votes classified before they are added: the two scratch arrays and the table share the
// first-level cache with the votes that stream through it.
constexpr std::uint32_t kBlock = 256;

template <typename Cell>
void add_votes(Cell cell, const Limits& limits_in, const Votes& votes, typename Cell::Word* table,
               std::uint64_t* own_reasons) {
  using Word = typename Cell::Word;
  const Limits limits = limits_in;  // a local cannot alias the arrays that are written
  const std::uint32_t spare = limits.nodes * limits.proposals;
  alignas(64) std::uint32_t index[kBlock];
  alignas(64) Word code[kBlock];
  std::uint64_t passed[kOwnReasons] = {};
  for (std::uint64_t begin = 0; begin < votes.count; begin += kBlock) {
    const std::uint64_t left = votes.count - begin;
    const std::uint32_t size = left < kBlock ? static_cast<std::uint32_t>(left) : kBlock;
    const std::uint32_t* voter = votes.voter + begin;
    const std::uint32_t* proposal = votes.proposal + begin;
    const std::uint32_t* value = votes.value + begin;
    const std::uint32_t* round = votes.round + begin;
    std::uint32_t authorized = 0;
    std::uint32_t current = 0;
    std::uint32_t proposal_known = 0;
    std::uint32_t valid = 0;
    for (std::uint32_t i = 0; i < size; ++i) {
      const Checks checks = check(limits, voter[i], proposal[i], value[i], round[i]);
      authorized += checks.authorized;
      current += checks.current;
      proposal_known += checks.proposal_known;
      valid += checks.valid;
      const std::uint32_t unused = spare + i % kSpareCells;
      index[i] =
          unused + ((cell_index(limits, voter[i], proposal[i]) - unused) & (0 - checks.valid));
      code[i] = cell.encode(value[i]);
    }
    for (std::uint32_t i = 0; i < size; ++i) {
      Word& target = table[index[i]];
      target = cell.add(target, code[i]);
    }
    passed[0] += authorized;
    passed[1] += current;
    passed[2] += proposal_known;
    passed[3] += valid;
  }
  std::uint64_t before = votes.count;
  for (std::uint32_t reason = 0; reason < kOwnReasons; ++reason) {
    own_reasons[reason] += before - passed[reason];
    before = passed[reason];
  }
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
    std::uint64_t several = voted & ~single;
    for (; several != 0; several &= several - 1) {
      const auto voter = begin + static_cast<std::uint32_t>(__builtin_ctzll(several));
      rows.equivocators[totals.equivocators++] = {proposal, voter};
      totals.equivocal_votes += rows.cell.votes(row[voter]);
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
      totals.equivocal_votes += rows.cell.votes(word);
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
  return totals;
}

template <typename Cell>
constexpr CellKernels<Cell> kCellKernels = {add_votes<Cell>, summarize<Cell>};

constexpr Kernels kKernels = {kCellKernels<NarrowCell>, kCellKernels<MiddleCell>,
                              kCellKernels<LongCell>, kCellKernels<WideCell>};

}  // namespace
}  // namespace stratoperf::consensus
