#include "workloads/consensus/round.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace stratoperf::consensus {
namespace {

// Cell indices are 32 bits wide, and so are tallies.
constexpr std::uint64_t kMaxCells = std::uint64_t{1} << 31;
constexpr std::uint64_t kMaxVotes = (std::uint64_t{1} << 31) - 1;

// Votes added, or cells summed up, between two looks at the stop token: about 0.1 ms.
constexpr std::uint64_t kPollVotes = std::uint64_t{1} << 16;
constexpr std::uint64_t kPollCells = std::uint64_t{1} << 18;

// Below this many votes a thread costs more to wake (some 10 us) than it saves.
constexpr std::uint64_t kVotesPerThread = std::uint64_t{1} << 15;

// A batch with fewer votes than this share of the cells visits its cells vote by vote instead of
// going through the whole table.
constexpr std::uint64_t kCellsPerVote = 8;

// The half-open part [first, last) of `total` that falls to one of several members.
struct Part {
  std::uint64_t first;
  std::uint64_t last;
};

Part part_of(std::uint64_t total, unsigned member, unsigned members) {
  return {total * member / members, total * (member + 1) / members};
}

void require(bool holds, const std::string& otherwise) {
  if (!holds) {
    throw std::invalid_argument(otherwise);
  }
}

class Busy {
 public:
  explicit Busy(std::atomic<bool>& flag) : flag_(flag) {
    if (flag_.exchange(true, std::memory_order_acquire)) {
      throw std::runtime_error(
          "this Round is deciding another batch in another thread; give each thread its own Round");
    }
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { flag_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool>& flag_;
};

}  // namespace

// Calls body with the narrowest cell that can hold every value and count that many votes.
template <typename Body>
auto Round::with_cell_for(std::uint64_t votes, Body&& body) const {
  const auto count_bits = static_cast<std::uint32_t>(std::bit_width(votes | 1));
  const std::uint32_t values = parameters_.limits.values;
  const std::uint64_t bits = std::uint64_t{values} * count_bits;
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
  const Limits& limits = parameters_.limits;
  require(limits.nodes > 0, "nodes: must be at least 1, got 0");
  require(limits.proposals > 0, "proposals: must be at least 1, got 0");
  require(limits.values > 0, "values: must be at least 1, got 0");
  require(
      parameters_.quorum <= limits.nodes && std::uint64_t{parameters_.quorum} * 2 > limits.nodes,
      "quorum: must be more than half of the nodes and at most all of them, got " +
          std::to_string(parameters_.quorum) + " of " + std::to_string(limits.nodes));
  require(cells() <= kMaxCells, "nodes * proposals: at most 2^31 fit one round, got " +
                                    std::to_string(cells()) + "; split the proposals over rounds");
  require(std::uint64_t{limits.proposals} * limits.values <= kMaxCells,
          "proposals * values: at most 2^31 fit one round; split the proposals over rounds");
  require(parameters_.threads > 0, "threads: must be at least 1, got 0");
  require(parameters_.capacity <= kMaxVotes,
          "capacity: must be below 2^31 votes, got " + std::to_string(parameters_.capacity));
  shares_.resize(parameters_.threads);
  with_cell_for(parameters_.capacity,
                [&](auto cell) { prepare_table<decltype(cell)>(shares_[0]); });
}

std::uint64_t Round::cells() const {
  return std::uint64_t{parameters_.limits.nodes} * parameters_.limits.proposals;
}

bool Round::decide(const Votes& votes, Outcome& outcome, const std::function<bool()>& stop) {
  const Busy busy(busy_);
  require(votes.count <= kMaxVotes, "batch: must have fewer than 2^31 votes, got " +
                                        std::to_string(votes.count) + "; split it into rounds");
  prepare_outcome(votes.count, outcome);
  stopped_.store(false, std::memory_order_relaxed);
  const bool small = votes.count < kPollVotes && votes.count * kCellsPerVote < cells();
  return with_cell_for(votes.count, [&](auto cell) {
    return small ? decide_small(cell, votes, outcome) : decide_dense(cell, votes, outcome, stop);
  });
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

// Memory for the cells of one thread, all of them zero.
template <typename Cell>
typename Cell::Word* Round::prepare_table(Share& share) {
  using Word = typename Cell::Word;
  share.table.reserve((cells() + kSpareCells) * sizeof(Word));
  std::fill_n(share.own_reasons, kOwnReasons, std::uint64_t{0});
  share.totals = {};
  return share.table.cells<Word>();
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

// Goes through the whole table, on as many threads as the batch is worth.
template <typename Cell>
bool Round::decide_dense(Cell cell, const Votes& votes, Outcome& outcome,
                         const std::function<bool()>& stop) {
  const auto members = static_cast<unsigned>(
      std::clamp<std::uint64_t>(votes.count / kVotesPerThread, 1, parameters_.threads));
  outcome.all_touched = true;
  on_members(members, [&](unsigned member) { add_share(cell, member, members, votes, stop); });
  on_members(members,
             [&](unsigned member) { summarize_share(cell, member, members, outcome, stop); });
  if (stopped_.load(std::memory_order_relaxed)) {
    // Votes of the round that was cut short must not count in the next one.
    std::ranges::for_each(shares_, [](Share& share) { share.table = Table(); });
    return false;
  }
  collect_equivocators(members, outcome);
  finish(members, votes.count, outcome);
  return true;
}

void Round::on_members(unsigned members, const std::function<void(unsigned)>& task) {
  if (members == 1) {
    task(0);
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

bool Round::poll(const std::function<bool()>& stop) {
  if (stop && stop()) {
    stopped_.store(true, std::memory_order_relaxed);
  }
  return stopped_.load(std::memory_order_relaxed);
}

// Adds one member's votes to the member's own table.
template <typename Cell>
void Round::add_share(Cell cell, unsigned member, unsigned members, const Votes& votes,
                      const std::function<bool()>& stop) {
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
                            const std::function<bool()>& stop) {
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
