// A round over many votes: goes through the whole table, on as many threads as the batch is worth.
#include <algorithm>

#include "stratoswarm/consensus/round.hpp"

namespace stratoperf::consensus {
namespace {

// Votes added, or cells summed up, between two looks at the stop token: about 0.1 ms.
constexpr std::uint64_t kPollVotes = std::uint64_t{1} << 16;
constexpr std::uint64_t kPollCells = std::uint64_t{1} << 18;

// Below this many votes a thread costs more to wake (some 10 us) than it saves.
constexpr std::uint64_t kVotesPerThread = std::uint64_t{1} << 15;

// The half-open part [first, last) of `total` that falls to one of several members.
struct Part {
  std::uint64_t first;
  std::uint64_t last;
};

Part part_of(std::uint64_t total, unsigned member, unsigned members) {
  return {total * member / members, total * (member + 1) / members};
}

// Whether a cell's counters can hold fewer votes than there are.
template <typename Word>
bool may_overflow(const CounterCell<Word>& cell, std::uint64_t votes) {
  return votes >> cell.count_bits != 0;
}
bool may_overflow(const WideCell& /*cell*/, std::uint64_t /*votes*/) { return false; }

}  // namespace

template <typename Cell>
Round::Ending Round::decide_dense(Cell cell, const Votes& votes, Outcome& outcome,
                                  const Stop& stop) {
  const auto members = static_cast<unsigned>(
      std::clamp<std::uint64_t>(votes.count / kVotesPerThread, 1, parameters_.threads));
  outcome.all_touched = true;
  on_members(members, [&](unsigned member) { add_share(cell, member, members, votes, stop); });
  on_members(members,
             [&](unsigned member) { summarize_share(cell, member, members, outcome, stop); });
  if (stopped_.load(std::memory_order_relaxed)) {
    // Votes of the round that was cut short must not count in the next one.
    std::ranges::for_each(shares_, [](Share& share) { share.table = Table(); });
    return Ending::kStopped;
  }
  if (may_overflow(cell, votes.count) && lost_votes(members, votes.count)) {
    return Ending::kLostVotes;
  }
  collect_equivocators(members, outcome);
  finish(members, votes.count, outcome);
  return Ending::kDecided;
}

// Whether short counters overflowed: their sum is then below the number of valid votes.
bool Round::lost_votes(unsigned members, std::uint64_t votes) const {
  std::uint64_t missing = votes;
  for (unsigned member = 0; member < members; ++member) {
    const Share& share = shares_[member];
    missing -= share.totals.short_counts;
    for (const std::uint64_t rejected : share.own_reasons) {
      missing -= rejected;
    }
  }
  return missing != 0;
}

// Calls task(member) on every member; a single one is this thread, and nothing is allocated.
template <typename Task>
void Round::on_members(unsigned members, Task&& task) {
  if (members == 1) {
    task(0u);
    return;
  }
  if (team_ == nullptr) {
    team_ = std::make_unique<ThreadTeam>(parameters_.threads);
  }
  team_->run([&](unsigned member) {
    if (member < members) {
      task(member);
    }
  });
}

bool Round::poll(const Stop& stop) {
  if (stop && stop()) {
    stopped_.store(true, std::memory_order_relaxed);
  }
  return stopped_.load(std::memory_order_relaxed);
}

// Adds one member's votes to the member's own table.
template <typename Cell>
void Round::add_share(Cell cell, unsigned member, unsigned members, const Votes& votes,
                      const Stop& stop) {
  Share& share = shares_[member];
  auto* table = prepare_table<Cell>(share);
  const Part part = part_of(votes.count, member, members);
  for (std::uint64_t first = part.first; first < part.last; first += kPollVotes) {
    if (first > part.first && poll(stop)) {
      return;
    }
    const std::uint64_t count = std::min(kPollVotes, part.last - first);
    const Votes slice = {votes.voter + first, votes.proposal + first, votes.value + first,
                         votes.round + first, count};
    parameters_.instructions.kernels->of<Cell>().add_votes(cell, parameters_.limits, slice, table,
                                                           share.own_reasons);
  }
}

// Merges the tables of all members for one member's proposals, sums them up and clears them.
template <typename Cell>
void Round::summarize_share(Cell cell, unsigned member, unsigned members, Outcome& outcome,
                            const Stop& stop) {
  using Word = typename Cell::Word;
  const Limits& limits = parameters_.limits;
  Share& share = shares_[member];
  Word* merged = shares_[0].table.template cells<Word>();
  const Part part = part_of(limits.proposals, member, members);
  Equivocator* equivocators = outcome.equivocators.data();
  if (members > 1) {
    share.equivocators.reserve(std::min<std::uint64_t>((part.last - part.first) * limits.nodes,
                                                       outcome.equivocators.capacity()));
    equivocators = share.equivocators.data();
  }
  const std::uint64_t step = std::max<std::uint64_t>(kPollCells / limits.nodes, 1);
  for (std::uint64_t first = part.first; first < part.last; first += step) {
    if (stopped_.load(std::memory_order_relaxed) || (first > part.first && poll(stop))) {
      return;
    }
    const std::uint64_t last = std::min(first + step, part.last);
    const std::uint64_t begin = first * limits.nodes;
    const std::uint64_t end = last * limits.nodes;
    for (unsigned other = 1; other < members; ++other) {
      Word* cells = shares_[other].table.template cells<Word>();
      for (std::uint64_t i = begin; i < end; ++i) {
        merged[i] = cell.merge(merged[i], cells[i]);
      }
      std::fill(cells + begin, cells + end, Word{0});
    }
    const RowTotals totals = parameters_.instructions.kernels->of<Cell>().summarize(
        {cell, limits, parameters_.quorum, merged, static_cast<std::uint32_t>(first),
         static_cast<std::uint32_t>(last), outcome.decided.data(), outcome.tallies.data(),
         equivocators + share.totals.equivocators});
    share.totals.accepted += totals.accepted;
    share.totals.equivocal_votes += totals.equivocal_votes;
    share.totals.equivocators += totals.equivocators;
    share.totals.short_counts += totals.short_counts;
    std::fill(merged + begin, merged + end, Word{0});
  }
  std::fill_n(share.table.template cells<Word>() + cells(), kSpareCells, Word{0});
}

// Puts the lists of several members, each sorted and of later proposals than the one before, one
// after another. A single member has written to its place already.
void Round::collect_equivocators(unsigned members, Outcome& outcome) {
  std::size_t size = members == 1 ? shares_[0].totals.equivocators : 0;
  if (members > 1) {
    for (unsigned member = 0; member < members; ++member) {
      const std::size_t added = shares_[member].totals.equivocators;
      std::copy_n(shares_[member].equivocators.data(), added, outcome.equivocators.data() + size);
      size += added;
    }
  }
  outcome.equivocators.resize(size);
}

template Round::Ending Round::decide_dense(ByteCell, const Votes&, Outcome&, const Stop&);
template Round::Ending Round::decide_dense(NarrowCell, const Votes&, Outcome&, const Stop&);
template Round::Ending Round::decide_dense(MiddleCell, const Votes&, Outcome&, const Stop&);
template Round::Ending Round::decide_dense(LongCell, const Votes&, Outcome&, const Stop&);
template Round::Ending Round::decide_dense(WideCell, const Votes&, Outcome&, const Stop&);

}  // namespace stratoperf::consensus
