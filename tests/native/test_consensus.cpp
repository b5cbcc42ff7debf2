#include <doctest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <vector>

#include "consensus_batches.hpp"
#include "core/operation.hpp"
#include "core/thread_team.hpp"
#include "stratoswarm/consensus/round.hpp"
#include "stratoswarm/consensus/round_operation.hpp"

using namespace stratoperf;
using namespace stratoperf::consensus;

namespace {

Parameters parameters_for(const Limits& limits, const InstructionSet& instructions,
                          unsigned threads = 1) {
  return {limits, limits.nodes / 2 + 1, threads, 0, instructions};
}

}  // namespace

TEST_CASE("every instruction set and cell decides the same") {
  for (const std::uint32_t values : {1u, 2u, 3u, 5u, 33u}) {
    for (const std::size_t votes : {0u, 1u, 17u, 600u, 5000u}) {
      const Limits limits = {97, 11, values, 3};
      const Batch batch = adversarial(votes, limits, values);
      Outcome expected;
      Round(parameters_for(limits, instruction_sets().back())).decide(batch.votes(), expected);
      std::uint64_t rejected = 0;
      for (const std::uint64_t count : expected.rejected) {
        rejected += count;
      }
      CHECK(expected.accepted + rejected == votes);
      for (const InstructionSet& set : instruction_sets()) {
        Outcome outcome;
        Round(parameters_for(limits, set)).decide(batch.votes(), outcome);
        check_equal(outcome, expected);
      }
    }
  }
}

TEST_CASE("columns may begin and end anywhere in a cache line") {
  const Limits limits = {20, 3, 2, 0};
  for (std::size_t votes = 0; votes < 100; ++votes) {
    const Batch batch = adversarial(votes, limits, 7);
    Outcome expected;
    Round(parameters_for(limits, instruction_sets().back())).decide(batch.votes(), expected);
    for (std::size_t lane = 0; lane < 16; ++lane) {
      // Each column at another place, up to the very end of its memory.
      const auto moved = [&](const std::vector<std::uint32_t>& column, std::size_t by) {
        std::vector<std::uint32_t> copy(by % 16, 0);
        copy.insert(copy.end(), column.begin(), column.end());
        copy.shrink_to_fit();
        return copy;
      };
      const auto voter = moved(batch.voter, lane);
      const auto proposal = moved(batch.proposal, lane + 1);
      const auto value = moved(batch.value, lane + 5);
      const auto round = moved(batch.round, lane + 14);
      const Votes columns = {voter.data() + lane % 16, proposal.data() + (lane + 1) % 16,
                             value.data() + (lane + 5) % 16, round.data() + (lane + 14) % 16,
                             votes};
      for (const InstructionSet& set : instruction_sets()) {
        Outcome outcome;
        Round(parameters_for(limits, set)).decide(columns, outcome);
        check_equal(outcome, expected);
      }
    }
  }
}

TEST_CASE("counters of any width count the votes of equivocators") {
  for (const std::size_t copies : {1u, 2u, 3u, 7u, 8u, 100u}) {  // of each value
    Batch batch;
    batch.voter.assign(2 * copies, 1);
    batch.proposal.assign(2 * copies, 0);
    batch.value.assign(copies, 0);
    batch.value.resize(2 * copies, 1);
    batch.round.assign(2 * copies, 0);
    for (const InstructionSet& set : instruction_sets()) {
      Outcome outcome;
      Round(parameters_for({3, 1, 2, 0}, set)).decide(batch.votes(), outcome);
      CHECK(outcome.accepted == 0);
      CHECK(outcome.rejected[kEquivocation] == 2 * copies);
      CHECK(outcome.rejected[kDuplicate] == 0);
    }
  }
}

TEST_CASE("any number of equivocators among neighbors is named") {
  const Limits limits = {150, 2, 2, 0};
  for (std::uint32_t equivocators = 0; equivocators <= limits.nodes; ++equivocators) {
    Batch batch;
    for (std::uint32_t voter = 0; voter < limits.nodes; ++voter) {
      for (std::uint32_t value = 0; value < (voter < equivocators ? 2u : 1u); ++value) {
        batch.voter.push_back(voter * 7 % limits.nodes);  // spread over the row
        batch.proposal.push_back(1);
        batch.value.push_back(value);
        batch.round.push_back(0);
      }
    }
    for (const InstructionSet& set : instruction_sets()) {
      Outcome outcome;
      Round(parameters_for(limits, set)).decide(batch.votes(), outcome);
      CHECK(outcome.accepted == limits.nodes - equivocators);
      REQUIRE(outcome.equivocators.all().size() == equivocators);
      for (std::uint32_t i = 1; i < equivocators; ++i) {
        const auto& [proposal, voter] = outcome.equivocators.all()[i];
        CHECK(proposal == 1);
        CHECK(outcome.equivocators.all()[i - 1].voter < voter);
        // 43 * 7 = 1 modulo 150.
        CHECK(voter * 43 % limits.nodes < equivocators);
      }
    }
  }
}

TEST_CASE("a flood of equal votes does not overflow into another value") {
  for (const std::uint32_t values : {1u, 2u, 3u, 5u, 16u, 17u}) {
    for (const std::size_t copies : {15u, 16u, 17u, 31u, 32u, 255u, 256u, 4096u, 65'536u}) {
      for (const std::uint32_t flooded : {0u, values - 1}) {
        Batch batch;
        batch.voter.assign(copies, 3);
        batch.proposal.assign(copies, 0);
        batch.value.assign(copies, flooded);
        batch.round.assign(copies, 0);
        for (const InstructionSet& set : instruction_sets()) {
          Round round(parameters_for({4, 1, values, 0}, set, 2));
          Outcome outcome;
          CHECK(round.decide(batch.votes(), outcome));
          CHECK(outcome.accepted == 1);
          CHECK(outcome.tallies[flooded] == 1);
          CHECK(outcome.rejected[kDuplicate] == copies - 1);
          CHECK(outcome.equivocators.all().empty());
        }
        if (values > 1) {
          batch.value[copies / 2] = values - 1 - flooded;
          Round round(parameters_for({4, 1, values, 0}, instruction_set("")));
          Outcome outcome;
          CHECK(round.decide(batch.votes(), outcome));
          CHECK(outcome.accepted == 0);
          CHECK(outcome.rejected[kEquivocation] == copies);
          CHECK(outcome.equivocators.all().size() == 1);
        }
      }
    }
  }
}

TEST_CASE("threads decide the same as one") {
  const Limits limits = {50, 300, 2, 0};
  const Batch batch = adversarial(140'000, limits, 5);
  Outcome expected;
  Round(parameters_for(limits, instruction_set(""))).decide(batch.votes(), expected);
  Round several(parameters_for(limits, instruction_set(""), 4));
  for (int repeat = 0; repeat < 3; ++repeat) {
    Outcome outcome;
    CHECK(several.decide(batch.votes(), outcome));
    check_equal(outcome, expected);
  }
}

TEST_CASE("a round that was stopped leaves nothing behind") {
  const Limits limits = {50, 300, 2, 0};
  const Batch batch = adversarial(140'000, limits, 6);
  Outcome expected;
  Round(parameters_for(limits, instruction_set(""))).decide(batch.votes(), expected);
  Round round(parameters_for(limits, instruction_set("")));
  Outcome outcome;
  CHECK_FALSE(round.decide(batch.votes(), outcome, [] { return true; }));
  CHECK(round.decide(batch.votes(), outcome));
  check_equal(outcome, expected);
}

TEST_CASE("parameters that make no round are refused") {
  const InstructionSet& set = instruction_set("");
  CHECK_THROWS_AS(Round(parameters_for({0, 1, 1, 0}, set)), std::invalid_argument);
  CHECK_THROWS_AS(Round(parameters_for({1u << 20, 1u << 12, 1, 0}, set)), std::invalid_argument);
  CHECK_THROWS_AS(Round(parameters_for({4, 1, 1, 0}, set, 0)), std::invalid_argument);
  Parameters parameters = parameters_for({4, 1, 1, 0}, set);
  parameters.quorum = 2;
  CHECK_THROWS_AS(Round{parameters}, std::invalid_argument);
  CHECK_THROWS_AS(instruction_set("mmx"), std::invalid_argument);
}

TEST_CASE("an operation rotates through its batches and keeps every outcome") {
  const Limits limits = {40, 5, 2, 0};
  const std::vector<Batch> batches = {adversarial(200, limits, 1), adversarial(300, limits, 2),
                                      adversarial(400, limits, 3)};
  auto rotation = std::make_shared<Rotation>();
  for (const Batch& batch : batches) {
    rotation->slots.push_back({batch.votes(), {}, false});
  }
  RoundOperation operation(parameters_for(limits, instruction_set("")), rotation);
  operation.run(2);
  CHECK(rotation->slots[1].decided);
  CHECK_FALSE(rotation->slots[2].decided);
  operation.run(2);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    Outcome expected;
    Round(parameters_for(limits, instruction_set(""))).decide(batches[i].votes(), expected);
    check_equal(rotation->slots[i].outcome, expected);
  }
}

TEST_CASE("a team runs a task on every member and passes on what one throws") {
  ThreadTeam team(3);
  std::vector<int> calls(3);
  for (int repeat = 0; repeat < 100; ++repeat) {
    team.run([&](unsigned member) { ++calls[member]; });
  }
  CHECK(calls == std::vector<int>{100, 100, 100});
  CHECK_THROWS_AS(team.run([](unsigned member) {
    if (member == 2) {
      throw std::runtime_error("from a member");
    }
  }),
                  std::runtime_error);
  team.run([&](unsigned member) { ++calls[member]; });
  CHECK(calls[2] == 101);
}
