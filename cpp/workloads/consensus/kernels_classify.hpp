// Classification of a block of votes, left to the compiler's vectorizer.
#pragma once

#include "workloads/consensus/kernels_scratch.hpp"

namespace stratoperf::consensus {
namespace {

// Writes the cell and the scaled value of every vote, with a spare cell for those that do not
// count, and adds to passed[k] how many votes pass the first k + 1 checks. Returns how many were
// written.
std::uint32_t classify_block(const Limits& limits_in, std::uint32_t scale, const Votes& block,
                             Scratch& scratch, std::uint64_t* passed) {
  const Limits limits = limits_in;  // a local cannot alias the arrays that are written
  const std::uint32_t spare = limits.nodes * limits.proposals;
  const auto size = static_cast<std::uint32_t>(block.count);
  std::uint32_t authorized = 0;
  std::uint32_t current = 0;
  std::uint32_t proposal_known = 0;
  std::uint32_t valid = 0;
  for (std::uint32_t i = 0; i < size; ++i) {
    const std::uint32_t voter = block.voter[i];
    const std::uint32_t proposal = block.proposal[i];
    const std::uint32_t value = block.value[i];
    const Checks checks = check(limits, voter, proposal, value, block.round[i]);
    authorized += checks.authorized;
    current += checks.current;
    proposal_known += checks.proposal_known;
    valid += checks.valid;
    const std::uint32_t unused = spare + i % kSpareCells;
    const std::uint32_t wanted = cell_index(limits, voter, proposal);
    scratch.index[i] = unused + ((wanted - unused) & (0 - checks.valid));
    scratch.scaled_value[i] = value * scale;
  }
  passed[kUnauthorizedVoter] += authorized;
  passed[kStaleRound] += current;
  passed[kProposalOutOfRange] += proposal_known;
  passed[kValueOutOfRange] += valid;
  return size;
}

}  // namespace
}  // namespace stratoperf::consensus
