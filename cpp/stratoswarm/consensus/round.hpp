// One quorum round over a batch of votes, on the CPU.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/thread_team.hpp"
#include "stratoswarm/consensus/kernels.hpp"
#include "stratoswarm/consensus/outcome.hpp"
#include "stratoswarm/consensus/rules.hpp"
#include "stratoswarm/consensus/table.hpp"

namespace stratoperf::consensus {

struct Parameters {
  Limits limits = {};
  std::uint32_t quorum = 0;    // 2 * quorum > nodes, so that at most one value reaches it
  unsigned threads = 1;        // the most that a large batch is spread over
  std::uint64_t capacity = 0;  // votes for which memory is allocated at once
  InstructionSet instructions = {};
};

// Asked now and then whether to end early; may be empty.
using Stop = std::function<bool()>;

// Keeps its buffers from batch to batch. For one thread at a time.
class Round {
 public:
  // Throws std::invalid_argument for parameters that make no round, std::bad_alloc.
  explicit Round(const Parameters& parameters);

  // Decides a batch. `stop`, if there is one, is polled about every 0.1 ms; once it returns true
  // the outcome is undefined and the result is false. Throws std::invalid_argument for a batch of
  // 2^31 votes or more and std::runtime_error when another thread is in this function.
  bool decide(const Votes& votes, Outcome& outcome, const Stop& stop = {});

  const Parameters& parameters() const { return parameters_; }

 private:
  // A slice of a large batch or a range of rows: what one thread works on.
  struct Share {
    Table table;
    EquivocatorList equivocators;
    std::uint64_t own_reasons[kOwnReasons] = {};
    RowTotals totals = {};
  };

  enum class Ending : std::uint8_t { kDecided, kStopped, kLostVotes };

  template <typename Body>
  auto with_cell_for(std::uint32_t count_bits, Body&& body) const;
  template <typename Cell>
  bool decide_small(Cell cell, const Votes& votes, Outcome& outcome);
  template <typename Cell>
  Ending decide_dense(Cell cell, const Votes& votes, Outcome& outcome, const Stop& stop);
  template <typename Cell>
  void add_share(Cell cell, unsigned member, unsigned members, const Votes& votes,
                 const Stop& stop);
  template <typename Cell>
  void summarize_share(Cell cell, unsigned member, unsigned members, Outcome& outcome,
                       const Stop& stop);
  // Memory for the cells of one thread, all of them zero.
  template <typename Cell>
  typename Cell::Word* prepare_table(Share& share) {
    using Word = typename Cell::Word;
    share.table.reserve((cells() + kSpareCells) * sizeof(Word));
    std::fill_n(share.own_reasons, kOwnReasons, std::uint64_t{0});
    share.totals = {};
    return share.table.cells<Word>();
  }
  template <typename Task>
  void on_members(unsigned members, Task&& task);
  bool poll(const Stop& stop);
  void prepare_outcome(std::uint64_t votes, Outcome& outcome) const;
  void collect_equivocators(unsigned members, Outcome& outcome);
  bool lost_votes(unsigned members, std::uint64_t votes) const;
  void finish(unsigned members, std::uint64_t votes, Outcome& outcome);
  std::uint64_t cells() const;

  Parameters parameters_;
  std::vector<Share> shares_;
  std::unique_ptr<ThreadTeam> team_;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> busy_ = false;
};

}  // namespace stratoperf::consensus
