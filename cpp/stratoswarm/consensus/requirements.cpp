#include "stratoswarm/consensus/requirements.hpp"

#include <stdexcept>
#include <string>

namespace stratoperf::consensus {
namespace {

// Cell indices are 32 bits wide, and so are tallies.
constexpr std::uint64_t kMaxCells = std::uint64_t{1} << 31;
constexpr std::uint64_t kMaxVotes = (std::uint64_t{1} << 31) - 1;

void require(bool holds, const std::string& otherwise) {
  if (!holds) {
    throw std::invalid_argument(otherwise);
  }
}

}  // namespace

void require_round(const Limits& limits, std::uint32_t quorum, std::uint64_t capacity) {
  require(limits.nodes > 0, "nodes: must be at least 1, got 0");
  require(limits.proposals > 0, "proposals: must be at least 1, got 0");
  require(limits.values > 0, "values: must be at least 1, got 0");
  require(quorum <= limits.nodes && std::uint64_t{quorum} * 2 > limits.nodes,
          "quorum: must be more than half of the nodes and at most all of them, got " +
              std::to_string(quorum) + " of " + std::to_string(limits.nodes));
  const std::uint64_t cells = std::uint64_t{limits.nodes} * limits.proposals;
  require(cells <= kMaxCells, "nodes * proposals: at most 2^31 fit one round, got " +
                                  std::to_string(cells) + "; split the proposals over rounds");
  require(std::uint64_t{limits.proposals} * limits.values <= kMaxCells,
          "proposals * values: at most 2^31 fit one round; split the proposals over rounds");
  require(capacity <= kMaxVotes,
          "capacity: must be below 2^31 votes, got " + std::to_string(capacity));
}

void require_batch(std::uint64_t votes) {
  require(votes <= kMaxVotes, "batch: must have fewer than 2^31 votes, got " +
                                  std::to_string(votes) + "; split it into rounds");
}

void Busy::refuse() {
  throw std::runtime_error(
      "this Round is deciding another batch in another thread; give each thread its own Round");
}

}  // namespace stratoperf::consensus
