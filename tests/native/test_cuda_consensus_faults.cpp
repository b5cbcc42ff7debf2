// What can go wrong with a round on a device.
#include <doctest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "cuda/device/error.hpp"
#include "cuda_consensus_rounds.hpp"
#include "emulated.hpp"

using namespace stratoperf::cuda::consensus;
using stratoperf::consensus::adversarial;
using stratoperf::consensus::Batch;
using stratoperf::consensus::Outcome;
using stratoperf::cuda::Error;
using stratoperf::cuda::OutOfMemory;
using stratoperf::cuda::Unavailable;

namespace {

bool always() { return true; }

}  // namespace

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
  CHECK(emulated::live() == 0);
  CHECK(cuda_emulator::last_failure() == "");
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
  const int told = emulated::refused_in_child<Unavailable>(
      [&] {
        Outcome outcome;
        inherited->decide(batch.votes(), outcome);
      },
      [] { const Round another(parameters_for(Mode::kGraph)); }, [&] { inherited.reset(); });
  CHECK(told == 2);
  decide_and_check(round);
}
