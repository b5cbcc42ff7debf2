// Round trips of kernels that do nothing, and copies, on the emulated device.
#include <doctest.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "cuda/device/error.hpp"
#include "cuda/device/mode.hpp"
#include "cuda/stratoswarm/copy/buffer.hpp"
#include "cuda/stratoswarm/copy/copy_operation.hpp"
#include "cuda/stratoswarm/round_trip/empty_operation.hpp"
#include "cuda_emulator/control.hpp"

using namespace stratoperf::cuda;
using copy::Buffer;
using copy::CopyOperation;
using copy::Place;
using round_trip::EmptyOperation;
using round_trip::Receipts;

namespace {

std::uint64_t kernels() { return cuda_emulator::statistics().at("kernels"); }

void check_verified(stratoperf::Operation& operation, std::uint64_t checked) {
  const stratoperf::Verification outcome = operation.verify();
  CHECK(outcome.passed);
  CHECK(outcome.message == "");
  CHECK(outcome.checked == checked);
}

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

}  // namespace

TEST_CASE("every request is answered once, in every mode, also after a rest") {
  cuda_emulator::reset();
  for (const Mode mode : kModes) {
    CAPTURE(name_of(mode));
    EmptyOperation operation(mode);
    operation.run(300);  // more than there are sequence numbers
    check_verified(operation, 300);
    operation.run(7);
    check_verified(operation, 307);
  }
}

TEST_CASE("a launch and a graph are a kernel for each request, a persistent kernel serves many") {
  for (const Mode mode : kModes) {
    CAPTURE(name_of(mode));
    cuda_emulator::reset();
    EmptyOperation operation(mode);
    operation.run(50);
    if (mode == Mode::kPersistent) {
      CHECK(kernels() < 50);
    } else {
      CHECK(kernels() == 50);
    }
  }
}

TEST_CASE("a persistent kernel that ended in silence is started again and loses no receipt") {
  cuda_emulator::reset();
  EmptyOperation operation(Mode::kPersistent, 5'000'000);
  for (int i = 1; i <= 3; ++i) {
    operation.run(10);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  CHECK(kernels() >= 3);
  check_verified(operation, 30);
}

TEST_CASE("two persistent kernels at once answer their own hosts") {
  cuda_emulator::reset();
  EmptyOperation first(Mode::kPersistent);
  EmptyOperation second(Mode::kPersistent);
  for (int i = 0; i < 20; ++i) {
    first.run(2);
    second.run(1);
  }
  check_verified(first, 40);
  check_verified(second, 20);
}

TEST_CASE("device time is taken in every mode and its round trips are verified, too") {
  cuda_emulator::reset();
  for (const Mode mode : kModes) {
    CAPTURE(name_of(mode));
    EmptyOperation operation(mode);
    REQUIRE(operation.has_device_time());
    operation.run(3);
    CHECK(operation.device_time(4) >= 0);
    check_verified(operation, 7);
  }
}

TEST_CASE("a request that a kernel missed, took twice or mistook is found") {
  Receipts made = {};
  made.add(11);
  made.add(12);
  CHECK(compare(made, made).passed);
  Receipts got = {};
  got.add(11);
  CHECK_FALSE(compare(made, got).passed);
  got.add(13);
  CHECK(compare(made, got).message ==
        "the kernels answered 2 requests with the sum 24; the host made 2 with the sum 23");
  got = made;
  got.add(0);
  CHECK_FALSE(compare(made, got).passed);
}

TEST_CASE("a launch that fails does not disturb the next one") {
  cuda_emulator::reset();
  EmptyOperation operation(Mode::kLaunch);
  operation.run(2);
  cuda_emulator::fail_next("cudaLaunchKernelEx", cudaErrorInvalidValue);
  CHECK_THROWS_AS(operation.run(1), Error);
  operation.run(2);
  check_verified(operation, 4);
}

TEST_CASE("a lost device is an error and no round trip hangs") {
  for (const Mode mode : kModes) {
    CAPTURE(name_of(mode));
    cuda_emulator::reset();
    {
      EmptyOperation operation(mode);
      operation.run(2);
      cuda_emulator::lose_device();
      CHECK_THROWS_AS(operation.run(1), Error);
      CHECK_THROWS_AS(operation.verify(), Error);
    }
    cuda_emulator::reset();
  }
}

TEST_CASE("copies of any size and between any places bring every byte") {
  cuda_emulator::reset();
  cuda_emulator::set_memory(std::size_t{2} << 30);
  for (const auto& [from, to] :
       {std::pair(Place::kPinned, Place::kDevice), std::pair(Place::kPageable, Place::kDevice),
        std::pair(Place::kDevice, Place::kPinned), std::pair(Place::kDevice, Place::kPageable),
        std::pair(Place::kDevice, Place::kDevice)}) {
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{4}, std::size_t{4097}}) {
      CAPTURE(bytes);
      CopyOperation operation({.from = from, .to = to, .bytes = bytes, .seed = bytes});
      operation.run(3);
      check_verified(operation, 3);
      CHECK(operation.device_time(2) >= 0);
      check_verified(operation, 5);
      operation.run(1500);  // more than there are buffers
      check_verified(operation, 1024);
    }
  }
  CopyOperation large({.from = Place::kPinned, .to = Place::kDevice, .bytes = 200 * kMebibyte});
  large.run(2);  // into one target, from two sources
  check_verified(large, 1);
  cuda_emulator::reset();
}

TEST_CASE("a copy that did not happen, or one wrong byte, is found") {
  cuda_emulator::reset();
  const Stream stream;
  for (const Place place : {Place::kDevice, Place::kPinned, Place::kPageable}) {
    const std::size_t bytes = 2 * kMebibyte + 5;
    const Buffer buffer(place, stream.device(), bytes);
    buffer.fill(1, stream);
    CHECK(buffer.holds(0, bytes, 1, 0, stream));
    CHECK(buffer.holds(4096, 100, 1, 4096, stream));
    CHECK_FALSE(buffer.holds(0, bytes, 2, 0, stream));   // another seed
    CHECK_FALSE(buffer.holds(0, 100, 1, 4096, stream));  // another part
    buffer.data()[bytes - 1] ^= 1;  // the emulated device's memory is the host's
    CHECK_FALSE(buffer.holds(0, bytes, 1, 0, stream));
    CHECK(buffer.holds(0, bytes - 1, 1, 0, stream));
    buffer.poison(stream);
    CHECK_FALSE(buffer.holds(0, 4, 1, 0, stream));
  }
}

TEST_CASE("copies of no bytes, too many, or within the host are refused") {
  cuda_emulator::reset();
  CHECK_THROWS_WITH_AS(CopyOperation({Place::kPinned, Place::kDevice, 0}),
                       "size: expected 1 to 68719476736 bytes, got 0", std::invalid_argument);
  CHECK_THROWS_AS(CopyOperation({Place::kPinned, Place::kDevice, copy::kMaxBytes + 1}),
                  std::invalid_argument);
  CHECK_THROWS_AS(CopyOperation({Place::kPinned, Place::kPageable, 4}), std::invalid_argument);
}

TEST_CASE("memory that does not suffice for a copy is out of memory, with nothing left behind") {
  cuda_emulator::reset();
  cuda_emulator::set_memory(kMebibyte);
  CHECK_THROWS_AS(CopyOperation({Place::kPinned, Place::kDevice, 4096}), OutOfMemory);
  cuda_emulator::reset();
  cuda_emulator::fail_next("cudaHostAlloc", cudaErrorMemoryAllocation);
  CHECK_THROWS_AS(CopyOperation({Place::kPinned, Place::kDevice, 4096}), OutOfMemory);
  const auto statistics = cuda_emulator::statistics();
  CHECK(statistics.at("live_allocations") == 0);
  CHECK(statistics.at("live_pinned") == 0);
  CHECK(statistics.at("live_streams") == 0);
}

TEST_CASE("modes are known by their names") {
  for (const Mode mode : kModes) {
    CHECK(mode_named(name_of(mode)) == mode);
  }
  CHECK_THROWS_WITH_AS(mode_named("fast"),
                       "mode: 'fast' is unknown; choose launch, graph or persistent",
                       std::invalid_argument);
}
