// Rounds on the emulated device decide what rounds on the CPU decide, in every mode and order.
#include <doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "consensus_batches.hpp"
#include "cuda/stratoswarm/consensus/plan.hpp"
#include "cuda/stratoswarm/consensus/round.hpp"
#include "cuda/stratoswarm/consensus/round_operation.hpp"
#include "cuda_emulator/control.hpp"
#include "repetitions.hpp"
#include "stratoswarm/consensus/round.hpp"

namespace cuda = stratoperf::cuda;
using namespace stratoperf::cuda::consensus;
using cuda_emulator::Order;
using stratoperf::consensus::adversarial;
using stratoperf::consensus::Batch;
using stratoperf::consensus::check_equal;
using stratoperf::consensus::Outcome;

namespace {

constexpr std::pair<Order, std::uint64_t> kAllOrders[] = {
    {Order::ascending, 0}, {Order::random, 1}, {Order::descending, 0}, {Order::random, 2}};
constexpr std::span kOrders = std::span(kAllOrders).first(repetitions::kFew ? 2 : 4);

constexpr Mode kOnlyGrid[] = {Mode::kLaunch, Mode::kGraph};

Parameters parameters_for(const Limits& limits, std::optional<Mode> mode) {
  Parameters parameters = {};
  parameters.settings.limits = limits;
  parameters.settings.quorum = limits.nodes / 2 + 1;
  parameters.mode = mode;
  return parameters;
}

Outcome on_cpu(const Limits& limits, const Batch& batch) {
  Outcome outcome;
  stratoperf::consensus::Round(
      {limits, limits.nodes / 2 + 1, 1, 0, stratoperf::consensus::instruction_sets().back()})
      .decide(batch.votes(), outcome);
  return outcome;
}

// Decides one batch by the whole device, whatever its size.
Outcome on_grid(const Limits& limits, const Batch& batch, Mode mode, std::uint32_t segment) {
  Settings settings = parameters_for(limits, mode).settings;
  settings.segment = segment;
  settings.one_block = false;
  auto rotation = std::make_shared<Rotation>(settings, std::vector{batch.votes()}, Source::kDevice);
  RoundOperation operation(rotation, mode);
  operation.run(2);  // what a round leaves behind would count in the next
  REQUIRE(rotation->decided[0]);
  Outcome outcome;
  rotation->engine.slots().read(0, outcome, rotation->engine.stream());
  return outcome;
}

// `copies` votes of one voter for each of two values, the second last.
Batch equal_votes(std::size_t copies) {
  Batch batch;
  batch.voter.assign(2 * copies, 3);
  batch.proposal.assign(2 * copies, 1);
  batch.value.assign(2 * copies, 0);
  batch.value.back() = 1;
  batch.round.assign(2 * copies, 0);
  return batch;
}

}  // namespace

TEST_CASE("one block decides as the CPU does, in every mode, with every cell and in any order") {
  cuda_emulator::reset();
  for (const auto& [order, seed] : kOrders) {
    cuda_emulator::set_order(order, seed);
    for (const std::uint32_t values : {1u, 2u, 5u, 32u, 33u}) {
      const Limits limits = {41, 7, values, 3};
      for (const Mode mode : kModes) {
        Round round(parameters_for(limits, mode));
        for (const std::size_t votes : {0u, 1u, 17u, 600u}) {
          const Batch batch = adversarial(votes, limits, values);
          Outcome outcome;
          REQUIRE(round.decide(batch.votes(), outcome));
          check_equal(outcome, on_cpu(limits, batch));
        }
      }
    }
  }
  CHECK(cuda_emulator::last_failure() == "");
}

TEST_CASE("the whole device decides as the CPU does, with every cell and in any order") {
  cuda_emulator::reset();
  for (const auto& [order, seed] : kOrders) {
    cuda_emulator::set_order(order, seed);
    for (const std::uint32_t values : {2u, 4u, 16u, 33u}) {
      for (const std::uint32_t segment : {32u, kSegment}) {  // rows in pieces, and whole ones
        const Limits limits = {70, 9, values, 3};
        const Batch batch = adversarial(500, limits, values);
        for (const Mode mode : kOnlyGrid) {
          check_equal(on_grid(limits, batch, mode, segment), on_cpu(limits, batch));
        }
      }
    }
  }
  CHECK(cuda_emulator::last_failure() == "");
}

TEST_CASE("a device with more blocks than a warp has lanes decides as the CPU does") {
  const Limits limits = {70, 600, 2, 3};
  const Batch batch = adversarial(4000, limits, 1);
  const Outcome expected = on_cpu(limits, batch);
  for (const cuda_emulator::Order order :
       {cuda_emulator::Order::ascending, cuda_emulator::Order::descending}) {
    cuda_emulator::reset();
    cuda_emulator::set_multiprocessors(9);
    cuda_emulator::set_order(order);
    check_equal(on_grid(limits, batch, Mode::kGraph, kSegment), expected);
  }
  CHECK(cuda_emulator::last_failure() == "");
  cuda_emulator::reset();
}

TEST_CASE("short counters that overflow are found, and the round is decided with wide ones") {
  cuda_emulator::reset();
  for (const std::uint32_t values : {1u, 2u, 3u, 9u, 16u, 20u}) {
    for (const std::size_t copies : {7u, 8u, 9u, 300u}) {
      const Limits limits = {5, 3, values, 0};
      const Batch batch = equal_votes(copies);
      check_equal(on_grid(limits, batch, Mode::kLaunch, kSegment), on_cpu(limits, batch));
      check_equal(on_grid(limits, batch, Mode::kGraph, 2), on_cpu(limits, batch));
    }
  }
}

TEST_CASE("a round keeps nothing of the batch before, whatever its size and its mode") {
  cuda_emulator::reset();
  const Limits limits = {30, 4, 3, 1};
  for (const std::optional<Mode> mode :
       {std::optional<Mode>(), std::optional(Mode::kLaunch), std::optional(Mode::kGraph),
        std::optional(Mode::kPersistent)}) {
    Round round(parameters_for(limits, mode));
    for (const std::size_t votes : {200u, 3u, 700u, 0u, 701u, 200u}) {
      const Batch batch = adversarial(votes, limits, static_cast<std::uint32_t>(votes));
      Outcome outcome;
      REQUIRE(round.decide(batch.votes(), outcome));
      check_equal(outcome, on_cpu(limits, batch));
    }
  }
}

TEST_CASE("large batches take the whole device, and small ones one block") {
  cuda::DeviceFacts facts = {};
  facts.shared_bytes_per_block = 227 * 1024;
  facts.multiprocessors = 132;
  const auto plan = [&](std::uint64_t votes) {
    const auto proposals = static_cast<std::uint32_t>((votes + 99) / 100);
    return plan_for({100, proposals, 2, 1}, votes, facts);
  };
  CHECK(plan(1).one_block);
  CHECK(plan(1).threads == 32);
  CHECK(plan(10'000).one_block);
  CHECK(plan(10'000).threads == 1024);
  CHECK(plan(10'000).cell == CellKind::kMiddle);
  CHECK(plan(10'000) == plan_for({100, 100, 2, 1}, 9'000, facts));
  CHECK(!plan(kBlockVotes + 1).one_block);
  CHECK(plan(10'000'000).cell == CellKind::kByte);
  CHECK(plan(10'000'000).vote_blocks == 4 * 132);
  // Cells or tallies that do not fit shared memory.
  CHECK(!plan_for({100, 1000, 2, 1}, 100, facts).one_block);
  CHECK(!plan_for({10, 10, 100'000, 1}, 100, facts).one_block);
  // Fewer warps where each needs much room for tallies.
  CHECK(plan_for({100, 100, 1000, 1}, 10'000, facts).threads == 512);
}

TEST_CASE("an operation rotates through its batches and counts by the device's clock") {
  cuda_emulator::reset();
  const Limits limits = {25, 5, 2, 1};
  std::vector<Batch> batches;
  std::vector<Votes> votes;
  for (const std::size_t count : {300u, 5u, 0u}) {
    batches.push_back(adversarial(count, limits, static_cast<std::uint32_t>(count)));
  }
  for (const Batch& batch : batches) {
    votes.push_back(batch.votes());
  }
  for (const Mode mode : kModes) {
    auto rotation =
        std::make_shared<Rotation>(parameters_for(limits, mode).settings, votes, Source::kPinned);
    RoundOperation operation(rotation, mode);
    operation.run(2);
    CHECK(!rotation->decided[2]);
    CHECK(operation.has_device_time());
    CHECK(operation.device_time(4) > 0);
    for (std::uint32_t slot = 0; slot < votes.size(); ++slot) {
      REQUIRE(rotation->decided[slot]);
      Outcome outcome;
      rotation->engine.slots().read(slot, outcome, rotation->engine.stream());
      check_equal(outcome, on_cpu(limits, batches[slot]));
    }
  }
}

TEST_CASE("a calibration tries every mode that can decide the batch, and takes one of them") {
  cuda_emulator::reset();
  const Limits limits = {10, 2, 2, 1};
  const Batch batch = adversarial(20, limits, 1);
  auto rotation = std::make_shared<Rotation>(parameters_for(limits, {}).settings,
                                             std::vector{batch.votes()}, Source::kPinned);
  const RoundOperation operation(rotation, std::nullopt);
  REQUIRE(rotation->calibration.has_value());
  CHECK(rotation->calibration->microseconds.size() == std::size(kModes));
  double fastest = 0;
  for (const auto& [mode, time] : rotation->calibration->microseconds) {
    CHECK(time > 0);
    fastest = mode == rotation->mode ? time : fastest;
  }
  for (const auto& [mode, time] : rotation->calibration->microseconds) {
    CHECK(time >= fastest);
  }
}

TEST_CASE("filling slots is verified, and does nothing else") {
  cuda_emulator::reset();
  const Limits limits = {10, 2, 2, 1};
  Batch batch = adversarial(50, limits, 1);
  FillOperation operation(limits, {batch.votes(), batch.votes()});
  CHECK(operation.verify().checked == 0);
  operation.run(1);
  CHECK(operation.verify().checked == 1);
  operation.run(3);
  CHECK(operation.verify().checked == 2);
  CHECK(operation.verify().passed);
  batch.round[49] ^= 1;
  CHECK(!operation.verify().passed);
  CHECK(cuda_emulator::statistics().at("kernels") == 0);
}
