// What can go wrong with a round on a device, and with the kernel that stays there.
#include <doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "consensus/round.hpp"
#include "consensus/round_operation.hpp"
#include "consensus_batches.hpp"
#include "cuda_emulator/control.hpp"
#include "device/error.hpp"
#include "workloads/consensus/round.hpp"

using namespace stratoperf::cuda::consensus;
using stratoperf::consensus::adversarial;
using stratoperf::consensus::Batch;
using stratoperf::consensus::check_equal;
using stratoperf::consensus::Outcome;
using stratoperf::cuda::Error;
using stratoperf::cuda::OutOfMemory;
using stratoperf::cuda::Unavailable;

namespace {

constexpr Limits kLimits = {20, 3, 2, 1};

Parameters parameters_for(std::optional<Mode> mode, const Limits& limits = kLimits) {
  Parameters parameters = {};
  parameters.settings.limits = limits;
  parameters.settings.quorum = limits.nodes / 2 + 1;
  parameters.mode = mode;
  return parameters;
}

void decide_and_check(Round& round, std::size_t votes = 100) {
  const Limits& limits = round.parameters().settings.limits;
  const Batch batch = adversarial(votes, limits, 5);
  Outcome expected;
  stratoperf::consensus::Round(
      {limits, limits.nodes / 2 + 1, 1, 0, stratoperf::consensus::instruction_sets().back()})
      .decide(batch.votes(), expected);
  Outcome outcome;
  REQUIRE(round.decide(batch.votes(), outcome));
  check_equal(outcome, expected);
}

std::uint64_t kernels() { return cuda_emulator::statistics().at("kernels"); }

// What is not freed.
std::uint64_t live() {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : cuda_emulator::statistics()) {
    sum += name.starts_with("live_") ? count : 0;
  }
  return sum;
}

bool always() { return true; }

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
  CHECK(live() == 0);
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

TEST_CASE("a round that was interrupted is over before the next begins") {
  cuda_emulator::reset();
  for (const Mode mode : kModes) {
    Round round(parameters_for(mode));
    const Batch batch = adversarial(400, kLimits, 9);
    for (int i = 0; i < 3; ++i) {
      Outcome outcome;
      // The answer may be there already when the token is looked at.
      round.decide(batch.votes(), outcome, always);
      decide_and_check(round);
    }
  }
}

TEST_CASE("a round can be destroyed while a request is in flight") {
  cuda_emulator::reset();
  for (const Mode mode : kModes) {
    for (const bool one_block : {true, false}) {
      Parameters parameters = parameters_for(mode);
      parameters.settings.one_block = one_block;
      if (!one_block && mode == Mode::kPersistent) {
        continue;
      }
      const Batch batch = adversarial(400, kLimits, 9);
      Outcome outcome;
      Round(parameters).decide(batch.votes(), outcome, always);
    }
  }
  CHECK(live() == 0);
  CHECK(cuda_emulator::last_failure() == "");
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

TEST_CASE("a round that another thread uses says so") {
  cuda_emulator::reset();
  Round round(parameters_for(Mode::kGraph));
  const Batch batch = adversarial(300, kLimits, 1);
  bool refused = false;
  // The answer may be there before the other thread asks whether to stop.
  for (int attempt = 0; attempt < 1000 && !refused; ++attempt) {
    std::atomic<bool> inside = false;
    std::atomic<bool> release = false;
    std::thread holder([&] {
      Outcome outcome;
      round.decide(batch.votes(), outcome, [&] {
        inside = true;
        while (!release) {
          std::this_thread::yield();
        }
        return false;
      });
      inside = true;
    });
    while (!inside) {
      std::this_thread::yield();
    }
    Outcome outcome;
    try {
      round.decide(batch.votes(), outcome);
    } catch (const std::runtime_error& error) {
      refused = std::string(error.what()).find("its own Round") != std::string::npos;
    }
    release = true;
    holder.join();
  }
  CHECK(refused);
  decide_and_check(round);
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

TEST_CASE("out of device memory is said with the size, and a smaller round works") {
  cuda_emulator::reset();
  cuda_emulator::set_memory(std::size_t{64} << 10);
  Parameters parameters = parameters_for(Mode::kGraph, {400, 100, 2, 1});
  parameters.settings.one_block = false;
  Round fits(parameters);  // 40,000 cells of a byte
  decide_and_check(fits, 50);
  const Batch many = [] {
    Batch batch;  // needs counters of two bytes
    batch.voter.assign(300, 0);
    batch.proposal.assign(300, 0);
    batch.value.assign(300, 0);
    batch.round.assign(300, 1);
    return batch;
  }();
  Outcome outcome;
  CHECK_THROWS_AS(fits.decide(many.votes(), outcome), OutOfMemory);
  decide_and_check(fits, 50);
}

TEST_CASE("a batch that host memory has no room for leaves the round as it was") {
  cuda_emulator::reset();
  for (const Mode mode : kModes) {
    Round round(parameters_for(mode));
    decide_and_check(round, 100);
    const Batch larger = adversarial(500, kLimits, 2);
    Outcome outcome;
    cuda_emulator::fail_next("cudaHostAlloc", cudaErrorMemoryAllocation);
    CHECK_THROWS_AS(round.decide(larger.votes(), outcome), OutOfMemory);
    decide_and_check(round, 100);
    decide_and_check(round, 500);
  }
}

TEST_CASE("a failing launch ends the round with an error, and the next one works") {
  cuda_emulator::reset();
  for (const bool one_block : {true, false}) {
    Parameters parameters = parameters_for(Mode::kLaunch);
    parameters.settings.one_block = one_block;
    Round round(parameters);
    decide_and_check(round);
    const Batch batch = adversarial(30, kLimits, 2);
    Outcome outcome;
    cuda_emulator::fail_next("cudaLaunchKernelEx", cudaErrorInvalidValue);
    CHECK_THROWS_AS(round.decide(batch.votes(), outcome), Error);
    decide_and_check(round);
  }
}

TEST_CASE("a device lost between rounds is an error in every mode, and nothing hangs") {
  for (const Mode mode : kModes) {
    cuda_emulator::reset();
    Round round(parameters_for(mode));
    decide_and_check(round);
    cuda_emulator::lose_device();
    const Batch batch = adversarial(30, kLimits, 2);
    Outcome outcome;
    CHECK_THROWS_AS(round.decide(batch.votes(), outcome), Error);
    CHECK_THROWS_AS(round.decide(batch.votes(), outcome), Error);
  }
  cuda_emulator::reset();
}

TEST_CASE("a child of fork is told so, and destroys what it inherited without harm") {
  cuda_emulator::reset();
  Round round(parameters_for(Mode::kPersistent));
  decide_and_check(round);
  auto inherited = std::make_unique<Round>(parameters_for(Mode::kPersistent));
  const Batch batch = adversarial(30, kLimits, 2);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int told = 0;
    try {
      Outcome outcome;
      inherited->decide(batch.votes(), outcome);
    } catch (const Unavailable&) {
      ++told;
    }
    try {
      const Round another(parameters_for(Mode::kGraph));
    } catch (const Unavailable&) {
      ++told;
    }
    inherited.reset();
    _exit(told);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 2);
  decide_and_check(round);
}
