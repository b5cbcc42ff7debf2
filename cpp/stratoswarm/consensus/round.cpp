#include "stratoswarm/consensus/round.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "stratoswarm/consensus/requirements.hpp"

namespace stratoperf::consensus {
namespace {

// A batch with fewer votes than this share of the cells visits its cells vote by vote instead of
// going through the whole table; a larger one would have to look at the stop token on its way.
constexpr std::uint64_t kCellsPerVote = 8;
constexpr std::uint64_t kFewVotes = std::uint64_t{1} << 16;

}  // namespace

// Calls body with the narrowest cell that has a counter of that many bits for every value.
template <typename Body>
auto Round::with_cell_for(std::uint32_t count_bits, Body&& body) const {
  const std::uint32_t values = parameters_.limits.values;
  const std::uint64_t bits = std::uint64_t{values} * count_bits;
  if (bits <= 8) {
    return body(ByteCell{count_bits, values});
  }
  if (bits <= 16) {
    return body(NarrowCell{count_bits, values});
  }
  if (bits <= 32) {
    return body(MiddleCell{count_bits, values});
  }
  if (bits <= 64) {
    return body(LongCell{count_bits, values});
  }
  return body(WideCell{});
}

Round::Round(const Parameters& parameters) : parameters_(parameters) {
  require_round(parameters_.limits, parameters_.quorum, parameters_.capacity);
  if (parameters_.threads == 0) {
    throw std::invalid_argument("threads: must be at least 1, got 0");
  }
  shares_.resize(parameters_.threads);
  with_cell_for(bits_to_count(parameters_.capacity),
                [&](auto cell) { prepare_table<decltype(cell)>(shares_[0]); });
}

std::uint64_t Round::cells() const {
  return std::uint64_t{parameters_.limits.nodes} * parameters_.limits.proposals;
}

bool Round::decide(const Votes& votes, Outcome& outcome, const Stop& stop) {
  const Busy busy(busy_);
  require_batch(votes.count);
  prepare_outcome(votes.count, outcome);
  stopped_.store(false, std::memory_order_relaxed);
  const std::uint32_t wide = bits_to_count(votes.count);
  if (votes.count < kFewVotes && votes.count * kCellsPerVote < cells()) {
    return with_cell_for(wide, [&](auto cell) { return decide_small(cell, votes, outcome); });
  }
  const auto dense = [&](auto cell) { return decide_dense(cell, votes, outcome, stop); };
  // Hardly any batch has 16 equal votes of one voter, so short counters are tried first.
  Ending ending = Ending::kLostVotes;
  if (wide > kShortCount && parameters_.limits.values <= 64 / kShortCount) {
    ending = with_cell_for(kShortCount, dense);
  }
  if (ending == Ending::kLostVotes) {
    ending = with_cell_for(wide, dense);
  }
  return ending == Ending::kDecided;
}

void Round::prepare_outcome(std::uint64_t votes, Outcome& outcome) const {
  const Limits& limits = parameters_.limits;
  const std::size_t tallies = std::size_t{limits.proposals} * limits.values;
  if (outcome.decided.size() != limits.proposals || outcome.tallies.size() != tallies) {
    outcome.decided.assign(limits.proposals, -1);
    outcome.tallies.assign(tallies, 0);
    outcome.all_touched = false;
    outcome.touched.clear();
  }
  outcome.equivocators.reserve(std::min(votes / 2, cells()));  // each has two votes or more
}

// Visits the cells of a batch vote by vote: the cost does not depend on the size of the round.
template <typename Cell>
bool Round::decide_small(Cell cell, const Votes& votes, Outcome& outcome) {
  const Limits& limits = parameters_.limits;
  Share& share = shares_[0];
  auto* table = prepare_table<Cell>(share);
  parameters_.instructions.kernels->of<Cell>().add_votes(cell, limits, votes, table,
                                                         share.own_reasons);
  if (outcome.all_touched) {
    std::ranges::fill(outcome.decided, -1);
    std::ranges::fill(outcome.tallies, 0);
    outcome.all_touched = false;
  } else {
    for (const std::uint32_t proposal : outcome.touched) {
      outcome.decided[proposal] = -1;
      std::fill_n(&outcome.tallies[std::size_t{proposal} * limits.values], limits.values, 0);
    }
  }
  outcome.touched.clear();
  Equivocator* equivocators = outcome.equivocators.data();
  for (std::uint64_t i = 0; i < votes.count; ++i) {
    const std::uint32_t voter = votes.voter[i];
    const std::uint32_t proposal = votes.proposal[i];
    if (check(limits, voter, proposal, votes.value[i], votes.round[i]).valid == 0) {
      continue;
    }
    const auto word = std::exchange(table[cell_index(limits, voter, proposal)], 0);
    if (word == 0) {
      continue;  // an earlier vote of the same cell has settled it
    }
    if (cell.equivocates(word)) {
      equivocators[share.totals.equivocators++] = {proposal, voter};
      share.totals.equivocal_votes += cell.votes(word);
      continue;
    }
    ++share.totals.accepted;
    const std::uint32_t value = cell.value(word);
    std::uint32_t& tally = outcome.tallies[std::size_t{proposal} * limits.values + value];
    if (++tally == 1) {
      outcome.touched.push_back(proposal);
    }
    if (tally == parameters_.quorum) {
      outcome.decided[proposal] = value;
    }
  }
  std::fill_n(table + cells(), kSpareCells, typename Cell::Word{0});
  std::sort(equivocators, equivocators + share.totals.equivocators,
            [](const Equivocator& a, const Equivocator& b) {
              return std::pair(a.proposal, a.voter) < std::pair(b.proposal, b.voter);
            });
  outcome.equivocators.resize(share.totals.equivocators);
  finish(1, votes.count, outcome);
  return true;
}

// Counts accepted and rejected votes.
void Round::finish(unsigned members, std::uint64_t votes, Outcome& outcome) {
  outcome.accepted = 0;
  outcome.rejected = {};
  std::uint64_t remaining = votes;
  for (unsigned member = 0; member < members; ++member) {
    const Share& share = shares_[member];
    outcome.accepted += share.totals.accepted;
    outcome.rejected[kEquivocation] += share.totals.equivocal_votes;
    for (std::uint32_t reason = 0; reason < kOwnReasons; ++reason) {
      outcome.rejected[reason] += share.own_reasons[reason];
      remaining -= share.own_reasons[reason];
    }
  }
  // Every valid vote was accepted, or lost by equivocation, or repeats an accepted one.
  outcome.rejected[kDuplicate] = remaining - outcome.accepted - outcome.rejected[kEquivocation];
}

}  // namespace stratoperf::consensus
