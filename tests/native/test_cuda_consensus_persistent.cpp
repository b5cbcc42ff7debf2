// The kernel that stays on a device for round after round.
#include <doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "cuda/stratoswarm/consensus/round_operation.hpp"
#include "cuda_consensus_rounds.hpp"
#include "emulated.hpp"

using namespace stratoperf::cuda::consensus;
using stratoperf::consensus::adversarial;
using stratoperf::consensus::Batch;
using stratoperf::consensus::Outcome;

namespace {

std::uint64_t kernels() { return cuda_emulator::statistics().at("kernels"); }

}  // namespace

TEST_CASE("a persistent kernel serves many rounds, and none is left when the round is gone") {
  cuda_emulator::reset();
  {
    Round round(parameters_for(Mode::kPersistent));
    for (int i = 0; i < 300; ++i) {  // more than there are sequence numbers
      decide_and_check(round, 40);
    }
    CHECK(kernels() < 300);
  }
  CHECK(emulated::live() == 0);
}

TEST_CASE("a persistent kernel ends by itself, and is started again when it is needed") {
  cuda_emulator::reset();
  Parameters parameters = parameters_for(Mode::kPersistent);
  parameters.settings.life_ns = 50'000'000;
  Round round(parameters);
  decide_and_check(round);
  const std::uint64_t before = kernels();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  decide_and_check(round);
  CHECK(kernels() > before);
}

TEST_CASE("an operation that is gone lets its kernel end long before its life is over") {
  cuda_emulator::reset();
  Settings settings = parameters_for(Mode::kPersistent).settings;
  settings.life_ns = 60'000'000'000;
  const Batch batch = adversarial(100, kLimits, 5);
  auto rotation = std::make_shared<Rotation>(settings, std::vector{batch.votes()}, Source::kPinned);
  for (int i = 0; i < 2; ++i) {  // a second operation starts the kernel again
    RoundOperation(rotation, Mode::kPersistent).run(3);
    CHECK(rotation->decided[0]);
  }
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  bool idle = false;
  while (!idle && std::chrono::steady_clock::now() < give_up) {
    idle = rotation->engine.stream().idle();
  }
  CHECK(idle);
}

TEST_CASE("a persistent kernel that never lives long loses no request") {
  cuda_emulator::reset();
  Parameters parameters = parameters_for(Mode::kPersistent);
  parameters.settings.life_ns = 300'000;
  Round round(parameters);
  for (int i = 0; i < 200; ++i) {
    decide_and_check(round, 30);
  }
  CHECK(kernels() > 1);
}

TEST_CASE("two rounds work at once, each with its persistent kernel") {
  cuda_emulator::reset();
  std::vector<std::thread> threads;
  Round first(parameters_for(Mode::kPersistent));
  Round second(parameters_for(Mode::kPersistent, {30, 2, 40, 7}));
  for (int i = 0; i < 20; ++i) {
    decide_and_check(first);
    decide_and_check(second);
  }
  for (Round* const round : {&first, &second}) {
    threads.emplace_back([round] {
      for (int i = 0; i < 20; ++i) {
        decide_and_check(*round, 50);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST_CASE("a persistent kernel has room for larger batches than the first") {
  cuda_emulator::reset();
  Round round(parameters_for(Mode::kPersistent));
  for (const std::size_t votes : {10u, 200u, 2000u, 10u}) {
    decide_and_check(round, votes);
  }
}

TEST_CASE(
    "a batch that one block cannot decide is refused by the persistent mode, with the way out") {
  cuda_emulator::reset();
  Round round(parameters_for(Mode::kPersistent, {1000, 300, 2, 1}));
  const Batch batch = adversarial(10, kLimits, 1);
  Outcome outcome;
  std::string message;
  try {
    round.decide(batch.votes(), outcome);
  } catch (const std::invalid_argument& error) {
    message = error.what();
  }
  CHECK(message.starts_with("mode: 'persistent' decides batches of at most"));
  CHECK(message.find("use mode='graph'") != std::string::npos);
}
