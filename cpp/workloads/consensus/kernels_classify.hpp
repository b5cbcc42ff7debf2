// Classification of a group of votes, left to the compiler's vectorizer.
#pragma once

#include "workloads/consensus/kernels_scratch.hpp"

namespace stratoperf::consensus {
namespace {

// Votes that are classified at a time, and groups between classifying votes and adding them: what
// was stored just now in wide registers cannot be loaded word by word without a wait.
inline constexpr std::uint32_t kGroup = 256;
inline constexpr std::uint64_t kDelay = 1;

template <typename Cell>
class Classifier {
 public:
  Classifier(const Cell& cell, const Limits& limits) : cell_(cell), limits_(limits) {}

  // Fills the group with the votes from `begin` on, fewer at the end of the batch; votes that do
  // not count, and those behind the end, go to a spare cell.
  void fill(const Votes& votes, std::uint64_t begin, Group<kGroup>& group) {
    // Locals cannot alias the arrays that are written.
    const Cell cell = cell_;
    const Limits limits = limits_;
    const std::uint32_t spare = limits.nodes * limits.proposals;
    const std::uint64_t left = votes.count - begin;
    const auto size = left < kGroup ? static_cast<std::uint32_t>(left) : kGroup;
    std::uint32_t authorized = 0;
    std::uint32_t current = 0;
    std::uint32_t proposal_known = 0;
    std::uint32_t valid = 0;
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t voter = votes.voter[begin + i];
      const std::uint32_t proposal = votes.proposal[begin + i];
      const std::uint32_t value = votes.value[begin + i];
      const Checks checks = check(limits, voter, proposal, value, votes.round[begin + i]);
      authorized += checks.authorized;
      current += checks.current;
      proposal_known += checks.proposal_known;
      valid += checks.valid;
      const std::uint32_t unused = spare + i % kSpareCells;
      const std::uint32_t wanted = cell_index(limits, voter, proposal);
      group.index[i] = unused + ((wanted - unused) & (0 - checks.valid));
      group.payload[i] = cell.payload(value);
    }
    for (std::uint32_t i = size; i < kGroup; ++i) {
      group.index[i] = spare;
    }
    passed_[kUnauthorizedVoter] += authorized;
    passed_[kStaleRound] += current;
    passed_[kProposalOutOfRange] += proposal_known;
    passed_[kValueOutOfRange] += valid;
  }

  // How many votes passed the first k + 1 checks.
  std::uint64_t passed(std::uint32_t k) const { return passed_[k]; }

 private:
  Cell cell_;
  Limits limits_;
  std::uint64_t passed_[kOwnReasons] = {};
};

}  // namespace
}  // namespace stratoperf::consensus
