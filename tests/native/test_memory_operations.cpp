// The operations onto memory tiers, run as the sampler runs them.
#include <doctest.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/operation.hpp"
#include "workloads/memory/allocate_operation.hpp"
#include "workloads/memory/bandwidth_operation.hpp"
#include "workloads/memory/fault_operation.hpp"
#include "workloads/memory/file_tier.hpp"
#include "workloads/memory/memory_tier.hpp"
#include "workloads/memory/migrate_operation.hpp"

namespace stratoperf::memory {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::string scratch() { return std::filesystem::temp_directory_path().string(); }

// The C structure, as a capsule would own it.
struct Exported {
  explicit Exported(std::unique_ptr<Operation> operation) {
    export_operation(std::move(operation), c);
  }
  Exported(const Exported&) = delete;
  Exported& operator=(const Exported&) = delete;
  ~Exported() { c.destroy(c.state); }

  bool run(std::uint64_t n) { return c.prepare(c.state, n) == 0 && c.run(c.state, n) == 0; }
  bool verify(std::uint64_t& checked) { return c.verify(c.state, &checked) == 0; }
  std::string message() { return c.message(c.state); }

  stratoperf_operation c = {};
};

struct Fixture {
  std::shared_ptr<MemoryTier> memory =
      std::make_shared<MemoryTier>("memory", 64 * kMiB, Pages::base, std::nullopt);
  std::shared_ptr<FileTier> disk = std::make_shared<FileTier>("disk", 64 * kMiB, scratch());
  std::shared_ptr<MemoryTier> beside =
      std::make_shared<MemoryTier>("beside", 64 * kMiB, Pages::base, std::nullopt);
  std::shared_ptr<Store> store =
      std::make_shared<Store>(std::vector<std::shared_ptr<Tier>>{memory, disk, beside}, 256 * kMiB);

  std::vector<std::vector<Store::Id>> blocks(std::size_t tier, int count) {
    std::vector<std::vector<Store::Id>> groups;
    for (int i = 0; i < count; ++i) {
      std::vector<std::byte> bytes(16 * kPage, static_cast<std::byte>(i + 1));
      groups.push_back({store->store(bytes, tier)});
    }
    return groups;
  }
};

TEST_CASE_FIXTURE(Fixture, "every migration that was timed is verified") {
  for (const auto& [from, to] : {std::pair<std::size_t, std::size_t>{0, 1}, {1, 0}, {0, 2}}) {
    CAPTURE(from);
    Exported operation(std::make_unique<MigrateOperation>(store, blocks(from, 3), from, to));
    for (int i = 0; i < 7; ++i) {
      REQUIRE(operation.run(i % 3 == 2 ? 2 : 1));
    }
    std::uint64_t checked = 0;
    CHECK(operation.verify(checked));
    CHECK(checked >= 6);
    CHECK(checked <= 9);
  }
}

TEST_CASE_FIXTURE(Fixture, "a migration that damages the block is a wrong outcome") {
  const auto groups = blocks(0, 1);
  Exported operation(std::make_unique<MigrateOperation>(store, groups, 0, 2));
  REQUIRE(operation.run(1));
  beside->address()[100] ^= std::byte{4};
  std::uint64_t checked = 0;
  CHECK_FALSE(operation.verify(checked));
  CHECK(operation.message().find("does not hold what was stored") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "a stop leaves the blocks intact") {
  const auto groups = blocks(0, 2);
  Exported operation(std::make_unique<MigrateOperation>(store, groups, 0, 1));
  operation.c.stop = 1;
  CHECK(operation.run(2));
  CHECK(store->tier_of(groups[0][0]) == 0);
  store->verify(groups[0][0]);
}

TEST_CASE_FIXTURE(Fixture, "an operation without blocks, or with too few for a batch, is refused") {
  CHECK_THROWS_AS(MigrateOperation(store, std::vector<std::vector<Store::Id>>{}, 0, 1),
                  std::invalid_argument);
  Exported operation(std::make_unique<MigrateOperation>(store, blocks(0, 1), 0, 1));
  CHECK_FALSE(operation.run(2));
  CHECK(operation.message().find("needs as many blocks") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture,
                  "what was read, written or copied is verified, and the room comes back") {
  for (const Access access : {Access::read, Access::write, Access::copy}) {
    for (const auto& [from, to] :
         {std::pair<std::size_t, std::size_t>{0, 2}, {0, 0}, {1, 1}, {0, 1}, {1, 0}}) {
      if (from == 1 && to == 1 && access == Access::copy) {
        continue;
      }
      CAPTURE(from);
      CAPTURE(to);
      Exported operation(
          std::make_unique<BandwidthOperation>(store, access, from, to, kMiB, Tuning{}));
      REQUIRE(operation.run(2));
      std::uint64_t checked = 0;
      CHECK(operation.verify(checked));
      CHECK(checked == 1);
    }
  }
  CHECK(memory->used() == 0);
  CHECK(disk->used() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a copy that arrives wrong is noticed") {
  Exported operation(
      std::make_unique<BandwidthOperation>(store, Access::copy, 0, 2, kMiB, Tuning{}));
  REQUIRE(operation.run(1));
  beside->address()[kMiB - 1] ^= std::byte{1};
  std::uint64_t checked = 0;
  CHECK_FALSE(operation.verify(checked));
}

TEST_CASE_FIXTURE(Fixture, "a spent budget ends the writing") {
  const auto shared =
      std::make_shared<Store>(std::vector<std::shared_ptr<Tier>>{memory, disk}, 3 * kMiB);
  Exported operation(
      std::make_unique<BandwidthOperation>(shared, Access::write, 1, 1, kMiB, Tuning{}));
  CHECK(operation.run(3));
  CHECK_FALSE(operation.run(1));
  CHECK(operation.message().find("budget_bytes") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "blocks that are allocated at once lie apart") {
  for (const std::size_t tier : {std::size_t{0}, std::size_t{1}}) {
    for (const bool fresh : {false, true}) {
      Exported operation(std::make_unique<AllocateOperation>(store, tier, 16 * kPage, 5, fresh));
      REQUIRE(operation.run(3));
      std::uint64_t checked = 0;
      CHECK(operation.verify(checked));
      CHECK(checked == 5);
    }
  }
  CHECK(memory->used() == 0);
  CHECK_THROWS_AS(AllocateOperation(store, 0, kMiB, 65, false), TierError);
  CHECK(memory->used() == 0);
  CHECK_THROWS_AS(AllocateOperation(store, 0, kMiB, 0, false), std::invalid_argument);
  CHECK_THROWS_AS(AllocateOperation(store, 0, 100, 1, false), std::invalid_argument);
}

TEST_CASE("a touch of a page that is not there is a minor fault") {
  Exported operation(std::make_unique<FaultOperation>(Fault::minor, ""));
  for (int i = 0; i < 3; ++i) {
    REQUIRE(operation.run(3000));  // more than the region holds twice
  }
  std::uint64_t checked = 0;
  CHECK(operation.verify(checked));
  CHECK(checked == 9000);
  CHECK_FALSE(operation.run(5000));
}

TEST_CASE("a page that another thread serves holds what the lower tier holds") {
  const auto lower = std::make_shared<FileTier>("disk", 64 * kMiB, scratch());
  std::unique_ptr<Operation> made;
  try {
    made = std::make_unique<ServedFaultOperation>(lower);
  } catch (const TierError& error) {
    MESSAGE("skipped: " << error.what());
    return;
  }
  Exported operation(std::move(made));
  REQUIRE(operation.run(100));
  REQUIRE(operation.run(4000));
  std::uint64_t checked = 0;
  CHECK(operation.verify(checked));
  CHECK(checked == 4100);
}

}  // namespace
}  // namespace stratoperf::memory
