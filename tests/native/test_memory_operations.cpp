// The operations onto memory tiers, run as the sampler runs them.
#include <doctest.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "exported.hpp"
#include "memory_tiers.hpp"
#include "stratoswarm/memory/allocate_operation.hpp"
#include "stratoswarm/memory/bandwidth_operation.hpp"
#include "stratoswarm/memory/file_tier.hpp"
#include "stratoswarm/memory/memory_tier.hpp"
#include "stratoswarm/memory/migrate_operation.hpp"

namespace stratoperf::memory {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::string scratch() { return std::filesystem::temp_directory_path().string(); }

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

// The same bytes lie in the target from the migration before.
TEST_CASE_FIXTURE(Fixture, "a migration that moves nothing is noticed, after one that moved all") {
  for (const bool into : {true, false}) {
    CAPTURE(into);
    const auto far = std::make_shared<FarTier>(4 * kMiB);
    const auto with_far =
        std::make_shared<Store>(std::vector<std::shared_ptr<Tier>>{memory, far}, 64 * kMiB);
    const std::size_t from = into ? 0 : 1;
    // Two, since a buffer on the way holds what was moved last.
    std::vector<std::vector<Store::Id>> groups;
    for (const unsigned seed : {1U, 2U}) {
      groups.push_back({with_far->store(content(16 * kPage, seed), from)});
    }
    Exported operation(std::make_unique<MigrateOperation>(with_far, groups, from, 1 - from));
    REQUIRE(operation.run(2));
    REQUIRE(operation.run(2));
    REQUIRE(operation.c.prepare(operation.c.state, 2) == 0);
    far->drops_writes = into;
    far->drops_reads = !into;
    REQUIRE(operation.c.run(operation.c.state, 2) == 0);
    far->drops_writes = far->drops_reads = false;
    std::uint64_t checked = 0;
    CHECK_FALSE(operation.verify(checked));
    CHECK(operation.message().find("does not hold what was stored") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "what moves nothing is noticed between tiers without addresses, too") {
  const auto far = std::make_shared<FarTier>(4 * kMiB);
  const auto other = std::make_shared<FarTier>(4 * kMiB);
  const auto both =
      std::make_shared<Store>(std::vector<std::shared_ptr<Tier>>{far, other}, 64 * kMiB);
  std::vector<std::vector<Store::Id>> groups;
  for (const unsigned seed : {1U, 2U}) {
    groups.push_back({both->store(content(16 * kPage, seed), 0)});
  }
  Exported migration(std::make_unique<MigrateOperation>(both, groups, 0, 1));
  Exported copy(std::make_unique<BandwidthOperation>(both, Access::copy, 0, 1, kMiB, Tuning{}));
  std::uint64_t checked = 0;
  for (Exported* const operation : {&migration, &copy}) {
    REQUIRE(operation->run(2));
    CHECK(operation->verify(checked));
    REQUIRE(operation->c.prepare(operation->c.state, 2) == 0);
    other->drops_writes = true;
    REQUIRE(operation->c.run(operation->c.state, 2) == 0);
    other->drops_writes = false;
    CHECK_FALSE(operation->verify(checked));
  }
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
      REQUIRE(operation.run(1));
      CHECK(operation.verify(checked));
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

// The bytes of the run before lie there still, so that only what is new can tell.
TEST_CASE_FIXTURE(Fixture, "a run that moves nothing is noticed, after one that moved all") {
  for (const bool into : {true, false}) {
    CAPTURE(into);
    const auto far = std::make_shared<FarTier>(4 * kMiB);
    const auto with_far =
        std::make_shared<Store>(std::vector<std::shared_ptr<Tier>>{memory, far}, 64 * kMiB);
    Exported operation(std::make_unique<BandwidthOperation>(with_far, Access::copy, into ? 0U : 1U,
                                                            into ? 1U : 0U, kMiB, Tuning{}));
    REQUIRE(operation.run(1));
    far->drops_writes = into;
    far->drops_reads = !into;
    REQUIRE(operation.run(1));
    far->drops_writes = far->drops_reads = false;
    std::uint64_t checked = 0;
    CHECK_FALSE(operation.verify(checked));
    CHECK(operation.message().find("did not arrive") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "a run that moved nothing is noticed, before one that moves all") {
  const auto far = std::make_shared<FarTier>(4 * kMiB);
  const auto with_far =
      std::make_shared<Store>(std::vector<std::shared_ptr<Tier>>{memory, far}, 64 * kMiB);
  Exported operation(
      std::make_unique<BandwidthOperation>(with_far, Access::copy, 1, 0, kMiB, Tuning{}));
  REQUIRE(operation.run(1));
  far->drops_reads = true;
  REQUIRE(operation.run(1));
  far->drops_reads = false;
  REQUIRE(operation.run(1));
  std::uint64_t checked = 0;
  CHECK_FALSE(operation.verify(checked));
  CHECK(checked == 3);
}

TEST_CASE_FIXTURE(Fixture,
                  "a sum of something else, and a byte that was not written, are noticed") {
  for (const Access access : {Access::read, Access::write}) {
    Exported operation(std::make_unique<BandwidthOperation>(store, access, 0, 0, kMiB, Tuning{}));
    REQUIRE(operation.run(1));
    memory->address()[kMiB / 2 + 3] ^= std::byte{1};  // it lies at the beginning
    std::uint64_t checked = 0;
    CHECK_FALSE(operation.verify(checked));
  }
}

TEST_CASE_FIXTURE(Fixture, "a copy that was stopped on its way is no wrong outcome") {
  Exported operation(
      std::make_unique<BandwidthOperation>(store, Access::copy, 0, 2, kMiB, Tuning{}));
  REQUIRE(operation.run(1));
  operation.c.stop = 1;
  REQUIRE(operation.run(1));
  std::uint64_t checked = 0;
  CHECK(operation.verify(checked));
  CHECK(checked == 1);
}

TEST_CASE_FIXTURE(Fixture, "filling what is to be moved can be stopped, and the room comes back") {
  CHECK_THROWS_AS(
      BandwidthOperation(store, Access::copy, 0, 2, kMiB, Tuning{}, [] { return true; }), Stopped);
  CHECK(memory->used() == 0);
  CHECK(beside->used() == 0);
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

TEST_CASE_FIXTURE(Fixture, "a block that lost what was written to it is noticed") {
  Exported operation(std::make_unique<AllocateOperation>(store, 0, 16 * kPage, 5, false));
  REQUIRE(operation.run(3));
  memory->address()[2 * 16 * kPage] ^= std::byte{1};
  std::uint64_t checked = 0;
  CHECK_FALSE(operation.verify(checked));
  CHECK(operation.message().find("does not hold what was written") != std::string::npos);
}

TEST_CASE("pages that were not taken from the system are noticed") {
  const auto keeping = std::make_shared<KeepingTier>(4 * kMiB);
  const auto store =
      std::make_shared<Store>(std::vector<std::shared_ptr<Tier>>{keeping}, std::uint64_t{0});
  Exported operation(std::make_unique<AllocateOperation>(store, 0, kMiB, 1, true));
  REQUIRE(operation.run(1));
  std::uint64_t checked = 0;
  CHECK_FALSE(operation.verify(checked));
  CHECK(operation.message().find("still holds") != std::string::npos);
  // Without that word it is the kernel's count that tells.
  std::memset(keeping->address(), 0, kMiB);
  CHECK_FALSE(operation.verify(checked));
  CHECK(operation.message().find("pages were not taken from the system") != std::string::npos);
}

}  // namespace
}  // namespace stratoperf::memory
