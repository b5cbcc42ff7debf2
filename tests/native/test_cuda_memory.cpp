// GPU memory as a tier, on the emulator: every pair of tiers, and what is left when moving fails.
#include <doctest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cuda/stratoswarm/memory/gpu_tier.hpp"
#include "cuda/stratoswarm/memory/locked_tier.hpp"
#include "cuda_emulator/control.hpp"
#include "memory_tiers.hpp"
#include "stratoswarm/memory/file_tier.hpp"
#include "stratoswarm/memory/store.hpp"

namespace stratoperf::cuda::memory {
namespace {

using stratoperf::memory::content;
using stratoperf::memory::FileTier;
using stratoperf::memory::kMaxChunk;
using stratoperf::memory::kPage;
using stratoperf::memory::Pages;
using stratoperf::memory::Stopped;
using stratoperf::memory::Store;
using stratoperf::memory::Tier;
using stratoperf::memory::TierError;
using stratoperf::memory::Tuning;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
enum Place : std::size_t { kGpu, kCpu, kDisk, kOther, kPlaces };

struct Fixture {
  Fixture() {
    cuda_emulator::reset();
    before = cuda_emulator::statistics();
    store = std::make_unique<Store>(
        std::vector<std::shared_ptr<Tier>>{
            std::make_shared<GpuTier>("gpu0", 160 * kMiB, DeviceId{}),
            std::make_shared<LockedTier>("cpu0", 160 * kMiB, Pages::base, std::nullopt, DeviceId{}),
            std::make_shared<FileTier>("disk", 160 * kMiB,
                                       std::filesystem::temp_directory_path().string()),
            std::make_shared<GpuTier>("gpu1", 160 * kMiB, DeviceId{})},
        2048 * kMiB);
  }
  ~Fixture() {
    store.reset();
    cuda_emulator::reset();
    for (const char* name :
         {"live_allocations", "live_pinned", "live_registered", "live_streams", "live_events"}) {
      CAPTURE(name);
      CHECK(cuda_emulator::statistics().at(name) == before.at(name));
    }
  }

  void check_content(Store::Id block, std::size_t place, const std::vector<std::byte>& expected) {
    CHECK(store->tier_of(block) == place);
    std::vector<std::byte> read(expected.size());
    store->read(block, read);
    CHECK((read == expected));
    store->verify(block);
  }

  std::map<std::string, std::uint64_t> before;
  std::unique_ptr<Store> store;
};

TEST_CASE_FIXTURE(Fixture, "a block arrives in a device's memory and from it, whatever its size") {
  for (const std::uint64_t size : {kPage, 3 * kPage, kMiB, 5 * kMiB + kPage}) {
    const auto bytes = content(size, 3);
    for (std::size_t from = 0; from < kPlaces; ++from) {
      for (std::size_t to = 0; to < kPlaces; ++to) {
        CAPTURE(size);
        CAPTURE(from);
        CAPTURE(to);
        const Store::Id block = store->store(bytes, from);
        store->migrate({&block, 1}, to, {});
        check_content(block, to, bytes);
        store->free(block);
      }
    }
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "a block that lies over several slabs and locked parts is copied whole") {
  const Store::Id first = store->allocate(30 * kMiB, kCpu);
  const Store::Id small = store->allocate(kMiB, kGpu);
  const auto bytes = content(40 * kMiB, 5);
  const Store::Id block = store->store(bytes, kCpu);
  for (const std::size_t place : {kGpu, kOther, kGpu, kDisk, kGpu, kCpu}) {
    store->migrate({&block, 1}, place, {});
    check_content(block, place, bytes);
  }
  for (const Store::Id one : {first, small, block}) {
    store->free(one);
  }
}

TEST_CASE_FIXTURE(Fixture, "many small blocks move as one, scattered and side by side") {
  std::vector<Store::Id> all;
  std::vector<Store::Id> moving;
  for (unsigned i = 0; i < 700; ++i) {
    all.push_back(store->store(content(kPage * (1 + i % 5), i), kCpu));
    if (i % 2 == 0 || i > 500) {
      moving.push_back(all.back());
    }
  }
  for (const std::size_t place : {kGpu, kCpu, kGpu, kDisk, kGpu, kOther, kCpu}) {
    store->migrate(moving, place, {});
    for (unsigned i = 0; i < all.size(); i += 37) {
      store->verify(all[i]);
    }
  }
  for (unsigned i = 0; i < all.size(); ++i) {
    check_content(all[i], kCpu, content(kPage * (1 + i % 5), i));
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "a calibration tries pieces with one thread and two, and keeps the fastest") {
  for (const auto& [from, to] :
       {std::pair(kGpu, kCpu), std::pair(kCpu, kGpu), std::pair(kGpu, kDisk),
        std::pair(kDisk, kGpu), std::pair(kGpu, kOther)}) {
    const auto& found = store->calibrate(from, to, 2 * kMiB, {});
    REQUIRE(found.trials.size() > 2);
    CHECK(found.best.chunk == found.trials.front().tuning.chunk);
    const auto bytes = content(2 * kMiB, 9);
    const Store::Id block = store->store(bytes, from);
    store->migrate({&block, 1}, to, {});
    check_content(block, to, bytes);
    store->free(block);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "before a calibration a device gets few large pieces, a disk's way its own") {
  for (const auto& [from, to] :
       {std::pair(kGpu, kCpu), std::pair(kCpu, kGpu), std::pair(kGpu, kOther)}) {
    const Tuning device = store->tuning(from, to, 64 * kMiB);
    CHECK(device.threads == 1);
    CHECK(device.chunk == kMaxChunk);
    CHECK(to_string(device.method) == "in place");
  }
  CHECK(to_string(store->tuning(kGpu, kDisk, kMiB).method) == "in place");
  CHECK(to_string(store->tuning(kCpu, kDisk, kMiB).method) == "staged");
  CHECK(to_string(store->tuning(kDisk, kCpu, kMiB).method) == "staged");
}

TEST_CASE_FIXTURE(Fixture, "a device and a disk do not take each other's staging buffer") {
  const auto bytes = content(kMiB, 11);  // one chunk, so one thread and one buffer
  const Store::Id block = store->store(bytes, kCpu);
  store->migrate({&block, 1}, kDisk, {});
  const auto locked = [] { return cuda_emulator::statistics().at("live_pinned"); };
  const std::uint64_t without = locked();
  store->migrate({&block, 1}, kGpu, {});
  const std::uint64_t with = locked();
  CHECK(with > without);
  check_content(block, kGpu, bytes);
  for (const std::size_t place : {kCpu, kDisk, kGpu, kDisk, kCpu}) {
    store->migrate({&block, 1}, place, {});
    check_content(block, place, bytes);
  }
  CHECK(locked() == with);
}

TEST_CASE_FIXTURE(Fixture, "out of device memory a block stays where it was") {
  cuda_emulator::set_memory(8 * kMiB);
  const auto bytes = content(16 * kMiB, 1);
  const Store::Id large = store->store(bytes, kCpu);
  CHECK_THROWS_WITH_AS(store->migrate({&large, 1}, kGpu, {}),
                       doctest::Contains("gpu0: cudaMalloc on device 0 for 16 MiB"), TierError);
  check_content(large, kCpu, bytes);
  const auto little = content(4 * kMiB, 2);
  const Store::Id small = store->store(little, kCpu);
  store->migrate({&small, 1}, kGpu, {});
  check_content(small, kGpu, little);
  // The slab is to grow to as much as there is, for which there is no room: it grows by less.
  const Store::Id next = store->store(content(2 * kMiB, 3), kGpu);
  check_content(next, kGpu, content(2 * kMiB, 3));
}

TEST_CASE_FIXTURE(Fixture, "when a copy fails the block stays where it was, and can move later") {
  const auto bytes = content(3 * kMiB, 4);
  for (const auto& [from, to] :
       {std::pair(kCpu, kGpu), std::pair(kGpu, kCpu), std::pair(kGpu, kDisk),
        std::pair(kDisk, kGpu), std::pair(kGpu, kOther)}) {
    for (const char* call : {"cudaMemcpyAsync", "cudaStreamSynchronize"}) {
      CAPTURE(call);
      const Store::Id block = store->store(bytes, from);
      cuda_emulator::fail_next(call, cudaErrorUnknown);
      CHECK_THROWS_WITH_AS(store->migrate({&block, 1}, to, {}), doctest::Contains(call), TierError);
      check_content(block, from, bytes);
      store->migrate({&block, 1}, to, {});
      check_content(block, to, bytes);
      store->free(block);
    }
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "on a lost device each migration fails, and CPU memory keeps its blocks") {
  const auto bytes = content(kMiB, 6);
  const Store::Id here = store->store(bytes, kCpu);
  const Store::Id there = store->store(bytes, kGpu);
  cuda_emulator::lose_device();
  CHECK_THROWS_AS(store->migrate({&here, 1}, kGpu, {}), TierError);
  CHECK_THROWS_AS(store->migrate({&there, 1}, kCpu, {}), TierError);
  check_content(here, kCpu, bytes);
  CHECK(store->tier_of(there) == kGpu);
}

TEST_CASE_FIXTURE(Fixture, "a migration that is stopped leaves the block where it was") {
  const auto bytes = content(40 * kMiB, 7);
  const Store::Id block = store->store(bytes, kCpu);
  int polls = 0;
  CHECK_THROWS_AS(store->migrate({&block, 1}, kGpu, [&polls] { return ++polls > 1; }), Stopped);
  check_content(block, kCpu, bytes);
}

TEST_CASE_FIXTURE(Fixture,
                  "CPU memory that cannot be page-locked is an error, and nothing is taken") {
  cuda_emulator::fail_next("cudaHostRegister", cudaErrorMemoryAllocation);
  CHECK_THROWS_WITH_AS(store->allocate(kMiB, kCpu), doctest::Contains("cannot be page-locked"),
                       TierError);
  CHECK(store->tier(kCpu).used() == 0);
  const Store::Id block = store->allocate(kMiB, kCpu);
  store->free(block);
}

TEST_CASE_FIXTURE(Fixture, "trimming gives memory back from the end, and never what is in use") {
  const auto bytes = content(40 * kMiB, 8);
  for (const std::size_t place : {kGpu, kCpu}) {
    const Store::Id first = store->store(bytes, place);
    const Store::Id second = store->store(bytes, place);
    const Store::Id third = store->store(bytes, place);
    const auto live = cuda_emulator::statistics();
    store->free(first);
    store->trim();  // what lies before blocks that are in use is kept
    check_content(second, place, bytes);
    store->free(third);
    store->trim();
    const auto fewer = cuda_emulator::statistics();
    const char* const kind = place == kGpu ? "live_allocations" : "live_registered";
    CHECK(fewer.at(kind) < live.at(kind));
    check_content(second, place, bytes);
    const Store::Id again = store->store(bytes, place);
    const Store::Id more = store->store(bytes, place);
    for (const Store::Id block : {second, again, more}) {
      check_content(block, place, bytes);
      store->free(block);
    }
    store->trim();
    CHECK(cuda_emulator::statistics().at(kind) == before.at(kind));
  }
}

TEST_CASE("a tier of a device that is not there is refused") {
  cuda_emulator::reset();
  CHECK_THROWS_AS(GpuTier("gpu7", kMiB, DeviceId{7}), std::invalid_argument);
}

}  // namespace
}  // namespace stratoperf::cuda::memory
