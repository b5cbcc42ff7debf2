// Blocks that move between tiers, and what is left when moving them fails.
#include <doctest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "memory_tiers.hpp"
#include "stratoswarm/memory/file_tier.hpp"
#include "stratoswarm/memory/memory_tier.hpp"
#include "stratoswarm/memory/store.hpp"

namespace stratoperf::memory {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

struct Fixture {
  Fixture() {
    far = std::make_shared<FarTier>(32 * kMiB);
    other = std::make_shared<FarTier>(32 * kMiB);
    store = std::make_unique<Store>(
        std::vector<std::shared_ptr<Tier>>{
            std::make_shared<MemoryTier>("near", 32 * kMiB, Pages::base, std::nullopt),
            std::make_shared<MemoryTier>("beside", 32 * kMiB, Pages::base, std::nullopt), far,
            other,
            std::make_shared<FileTier>("disk", 32 * kMiB,
                                       std::filesystem::temp_directory_path().string())},
        budget);
  }

  void check_content(Store::Id block, const std::vector<std::byte>& expected) {
    std::vector<std::byte> read(expected.size());
    store->read(block, read);
    CHECK((read == expected));
    store->verify(block);
  }

  static constexpr std::uint64_t budget = 512 * kMiB;
  std::shared_ptr<FarTier> far;
  std::shared_ptr<FarTier> other;
  std::unique_ptr<Store> store;
};

TEST_CASE_FIXTURE(Fixture, "a block arrives in every tier from every tier") {
  for (const std::uint64_t size : {kPage, 3 * kPage, 2 * kMiB + kPage}) {
    const auto bytes = content(size, 3);
    for (std::size_t from = 0; from < store->tiers(); ++from) {
      for (std::size_t to = 0; to < store->tiers(); ++to) {
        CAPTURE(size);
        CAPTURE(from);
        CAPTURE(to);
        const Store::Id block = store->store(bytes, from);
        store->migrate({&block, 1}, to, {});
        CHECK(store->tier_of(block) == to);
        check_content(block, bytes);
        if (from != to) {
          CHECK(store->tier(from).used() == 0);
        }
        store->free(block);
        CHECK(store->tier(to).used() == 0);
      }
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "however the bytes move, they arrive") {
  const Mapping mapping = Mapping::reserve(5 * kMiB);  // aligned, as a disk wants it
  const std::span<std::byte> bytes = mapping.bytes();
  const auto random = content(bytes.size(), 7);
  std::copy(random.begin(), random.end(), bytes.begin());
  const iovec whole = {bytes.data(), bytes.size()};
  for (std::size_t tier = 0; tier < store->tiers(); ++tier) {
    static_cast<void>(store->tier(tier).allocate(bytes.size()));
  }
  Transfer transfer;
  // Pages in another order, and large pieces that are cut into chunks.
  const std::vector<Segment> segments = {{0, 2 * kPage, kPage},
                                         {kPage, kPage, kPage},
                                         {2 * kPage, 0, kPage},
                                         {3 * kPage, 3 * kPage, 5 * kMiB - 3 * kPage}};
  for (const std::size_t from : {std::size_t{0}, std::size_t{2}, std::size_t{4}}) {
    for (const std::size_t to : {std::size_t{1}, std::size_t{3}}) {
      for (const CopyMethod method :
           {CopyMethod::library, CopyMethod::streaming, CopyMethod::in_place, CopyMethod::staged}) {
        for (const unsigned threads : {1U, 3U}) {
          CAPTURE(from);
          CAPTURE(to);
          CAPTURE(to_string(method));
          store->tier(from).write(0, {&whole, 1});
          transfer.move(store->tier(from), store->tier(to), segments,
                        {threads, 256 * kPage, method}, {});
          std::vector<std::byte> arrived(bytes.size());
          const iovec back = {arrived.data(), arrived.size()};
          store->tier(to).read(0, {&back, 1});
          for (const Segment& segment : segments) {
            REQUIRE(std::memcmp(arrived.data() + segment.to, bytes.data() + segment.from,
                                segment.size) == 0);
          }
        }
      }
    }
  }
  for (const Tuning& wrong : {Tuning{0, kPage, {}}, Tuning{65, kPage, {}}, Tuning{1, 100, {}},
                              Tuning{1, 2 * kMaxChunk, {}}}) {
    CHECK_THROWS_AS(transfer.move(store->tier(0), store->tier(1), segments, wrong, {}),
                    std::invalid_argument);
  }
}

TEST_CASE_FIXTURE(Fixture, "many pages move as one, from several tiers") {
  std::vector<Store::Id> blocks;
  for (unsigned i = 0; i < 300; ++i) {
    blocks.push_back(store->store(content(kPage, i), i % 4));
  }
  far->calls = 0;
  store->migrate(blocks, 2, {});
  // A hundred pages from each of two memories, and those of the other far tier: not one by one.
  CHECK(far->calls < 30);
  for (unsigned i = 0; i < 300; ++i) {
    check_content(blocks[i], content(kPage, i));
  }
  store->migrate(blocks, 0, {});
  for (unsigned i = 0; i < 300; ++i) {
    check_content(blocks[i], content(kPage, i));
    store->free(blocks[i]);
  }
  CHECK(store->tier(2).used() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a migration that fails leaves every block where it was") {
  const auto bytes = content(4 * kMiB, 9);
  const std::vector<Store::Id> blocks = {store->store(bytes, 0), store->store(bytes, 1),
                                         store->store(bytes, 3)};
  const auto check_untouched = [&] {
    CHECK(store->tier_of(blocks[0]) == 0);
    CHECK(store->tier_of(blocks[1]) == 1);
    CHECK(store->tier_of(blocks[2]) == 3);
    for (const Store::Id block : blocks) {
      check_content(block, bytes);
    }
    CHECK(store->tier(2).used() == 0);
  };
  SUBCASE("when the first write fails") { far->writes_left = 0; }
  SUBCASE("when a later write fails") { far->writes_left = 11; }
  SUBCASE("when the flush fails") { far->broken_flush = true; }
  CHECK_THROWS_AS(store->migrate(blocks, 2, {}), TierError);
  check_untouched();
  far->writes_left = 1 << 20;
  far->broken_flush = false;
  store->migrate(blocks, 2, {});
  check_content(blocks[2], bytes);
}

TEST_CASE_FIXTURE(Fixture, "a migration that is stopped leaves the block where it was") {
  const auto bytes = content(8 * kMiB, 5);
  const Store::Id block = store->store(bytes, 0);
  std::atomic<int> asked = 0;
  CHECK_THROWS_AS(store->migrate({&block, 1}, 2, [&] { return ++asked > 3; }), Stopped);
  CHECK(store->tier_of(block) == 0);
  CHECK(store->tier(2).used() == 0);
  check_content(block, bytes);
}

TEST_CASE_FIXTURE(Fixture, "work on one block can be stopped after each MiB, and takes no room") {
  const auto bytes = content(8 * kMiB, 4);
  const Store::Id block = store->store(bytes, 2);
  std::vector<std::byte> read(bytes.size());
  int asked = 0;
  const StopCheck third = [&asked] { return ++asked == 3; };
  const std::vector<std::function<void()>> all = {
      [&] { store->allocate(8 * kMiB, 4, third); },
      [&] { store->store(bytes, 4, third); },
      [&] { store->read(block, read, third); },
      [&] { store->verify(block, third); },
  };
  for (const auto& work : all) {
    asked = 0;
    CHECK_THROWS_AS(work(), Stopped);
    CHECK(asked == 3);
    CHECK(store->tier(4).used() == 0);
  }
  check_content(block, bytes);
}

TEST_CASE_FIXTURE(Fixture, "a second thread is refused while the first one works") {
  const Store::Id block = store->store(content(kMiB, 5), 0);
  std::atomic<int> refused = 0;
  store->migrate({&block, 1}, 2, [&] {
    std::thread([&] {
      try {
        store->verify(block);
      } catch (const std::runtime_error&) {
        ++refused;
      }
    }).join();
    return false;
  });
  CHECK(refused > 0);
  check_content(block, content(kMiB, 5));
}

TEST_CASE_FIXTURE(Fixture, "a target without room leaves the blocks where they were") {
  std::vector<Store::Id> blocks;
  for (int i = 0; i < 4; ++i) {
    blocks.push_back(store->allocate(8 * kMiB, 0));
  }
  const Store::Id in_the_way = store->allocate(4 * kMiB, 1);
  CHECK_THROWS_AS(store->migrate(blocks, 1, {}), TierError);
  CHECK(store->tier(1).used() == 4 * kMiB);
  for (const Store::Id block : blocks) {
    CHECK(store->tier_of(block) == 0);
    store->verify(block);
  }
  store->free(in_the_way);
  store->migrate(blocks, 1, {});
  CHECK(store->tier(0).used() == 0);
}

TEST_CASE_FIXTURE(Fixture, "damage is noticed") {
  const Store::Id block = store->store(content(kMiB, 1), 2);
  far->raw()[kMiB / 2] ^= std::byte{1};
  CHECK_THROWS_AS(store->verify(block), Damaged);
  store->migrate({&block, 1}, 0, {});
  CHECK_THROWS_AS(store->verify(block), Damaged);
  store->write(block, content(kMiB, 2));
  check_content(block, content(kMiB, 2));
}

TEST_CASE_FIXTURE(Fixture, "a new block holds zeros, also where another one was") {
  const Store::Id old = store->store(content(kMiB, 1), 0);
  store->free(old);
  const Store::Id block = store->allocate(kMiB, 0);
  check_content(block, std::vector<std::byte>(kMiB));
  CHECK_THROWS_AS(store->free(old), std::invalid_argument);
}

TEST_CASE_FIXTURE(Fixture, "sizes out of range and blocks named twice are refused") {
  for (const std::uint64_t size : {std::uint64_t{0}, kPage - 1, kPage + 1, 2 * kMaxBlock}) {
    CHECK_THROWS_AS(static_cast<void>(store->allocate(size, 0)), std::invalid_argument);
  }
  const Store::Id block = store->allocate(kPage, 0);
  const std::vector<Store::Id> twice = {block, block};
  CHECK_THROWS_AS(store->migrate(twice, 1, {}), std::invalid_argument);
  CHECK_THROWS_AS(store->write(block, content(2 * kPage, 1)), std::invalid_argument);
  CHECK_THROWS_AS(static_cast<void>(store->allocate(kPage, 17)), std::out_of_range);
}

TEST_CASE("the budget counts what is written to durable tiers alone") {
  Store store({std::make_shared<MemoryTier>("near", 8 * kMiB, Pages::base, std::nullopt),
               std::make_shared<FarTier>(8 * kMiB)},
              2 * kMiB);
  const Store::Id block = store.allocate(kMiB, 0);
  store.migrate({&block, 1}, 1, {});
  store.migrate({&block, 1}, 0, {});
  store.migrate({&block, 1}, 1, {});
  CHECK(store.written() == 2 * kMiB);
  store.migrate({&block, 1}, 0, {});
  CHECK_THROWS_AS(store.migrate({&block, 1}, 1, {}), std::invalid_argument);
  CHECK(store.tier_of(block) == 0);
  store.verify(block);
  CHECK(store.written() == 2 * kMiB);
}

TEST_CASE_FIXTURE(Fixture,
                  "a calibration chooses the fastest of its trials, and writes no more "
                  "than it said") {
  for (const std::uint64_t size : {kPage, kMiB}) {
    for (const auto& [from, to] : {std::pair{0, 1}, std::pair{0, 4}, std::pair{4, 0}}) {
      const std::uint64_t before = store->written();
      const Calibration found =
          store->calibrate(static_cast<std::size_t>(from), static_cast<std::size_t>(to), size, {});
      REQUIRE_FALSE(found.trials.empty());
      for (const Calibration::Trial& trial : found.trials) {
        CHECK(trial.bytes_per_second > 0);
        CHECK(trial.bytes_per_second <= found.trials.front().bytes_per_second);
      }
      CHECK(found.best.chunk == found.trials.front().tuning.chunk);
      const Tuning used =
          store->tuning(static_cast<std::size_t>(from), static_cast<std::size_t>(to), size);
      CHECK(used.threads == found.best.threads);
      CHECK(store->written() - before <= 36 * size);
    }
  }
  CHECK(store->tier(0).used() == 0);
  CHECK(store->tier(4).used() == 0);
}

}  // namespace
}  // namespace stratoperf::memory
