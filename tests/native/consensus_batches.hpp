// Batches of votes for the tests of rounds, and how outcomes are compared.
#pragma once

#include <doctest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "stratoswarm/consensus/outcome.hpp"
#include "stratoswarm/consensus/rules.hpp"

namespace stratoperf::consensus {

struct Batch {
  std::vector<std::uint32_t> voter, proposal, value, round;

  Votes votes() const {
    return {voter.data(), proposal.data(), value.data(), round.data(), voter.size()};
  }
};

// Votes at and beyond every bound, with equivocation and duplicates among them.
inline Batch adversarial(std::size_t votes, const Limits& limits, std::uint32_t seed) {
  std::mt19937 twister(seed);
  const auto engine = [&] { return static_cast<std::uint32_t>(twister()); };
  Batch batch;
  for (std::size_t i = 0; i < votes; ++i) {
    const auto near = [&](std::uint32_t bound) {
      const std::uint32_t draw = engine() % 40;
      return draw == 0 ? bound : draw == 1 ? 0xffffffffu : engine() % bound;
    };
    batch.voter.push_back(near(limits.nodes));
    batch.proposal.push_back(near(limits.proposals));
    batch.value.push_back(engine() % 4 != 0 ? 0 : near(limits.values));
    batch.round.push_back(engine() % 20 == 0 ? limits.round + 1 : limits.round);
  }
  return batch;
}

inline void check_equal(const Outcome& a, const Outcome& b) {
  CHECK(a.decided == b.decided);
  CHECK(a.tallies == b.tallies);
  CHECK(a.accepted == b.accepted);
  CHECK(a.rejected == b.rejected);
  REQUIRE(a.equivocators.all().size() == b.equivocators.all().size());
  for (std::size_t i = 0; i < a.equivocators.all().size(); ++i) {
    CHECK(a.equivocators.all()[i].proposal == b.equivocators.all()[i].proposal);
    CHECK(a.equivocators.all()[i].voter == b.equivocators.all()[i].voter);
  }
}

}  // namespace stratoperf::consensus
