// Rounds on the emulated device for tests, held to the rounds of the CPU.
#pragma once

#include <doctest.h>

#include <cstddef>
#include <optional>

#include "consensus_batches.hpp"
#include "cuda/stratoswarm/consensus/round.hpp"
#include "stratoswarm/consensus/round.hpp"

namespace stratoperf::cuda::consensus {

inline constexpr Limits kLimits = {20, 3, 2, 1};

inline Parameters parameters_for(std::optional<Mode> mode, const Limits& limits = kLimits) {
  Parameters parameters = {};
  parameters.settings.limits = limits;
  parameters.settings.quorum = limits.nodes / 2 + 1;
  parameters.mode = mode;
  return parameters;
}

inline void decide_and_check(Round& round, std::size_t votes = 100) {
  const Limits& limits = round.parameters().settings.limits;
  const stratoperf::consensus::Batch batch = stratoperf::consensus::adversarial(votes, limits, 5);
  stratoperf::consensus::Outcome expected;
  stratoperf::consensus::Round(
      {limits, limits.nodes / 2 + 1, 1, 0, stratoperf::consensus::instruction_sets().back()})
      .decide(batch.votes(), expected);
  stratoperf::consensus::Outcome outcome;
  REQUIRE(round.decide(batch.votes(), outcome));
  stratoperf::consensus::check_equal(outcome, expected);
}

}  // namespace stratoperf::cuda::consensus
