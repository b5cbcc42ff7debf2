// Page faults as operations: what is counted, and what is noticed to be none.
#include <doctest.h>
#include <sys/mman.h>

#include <array>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "exported.hpp"
#include "stratoswarm/memory/fault_operation.hpp"
#include "stratoswarm/memory/file_tier.hpp"

namespace stratoperf::memory {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::string scratch() { return std::filesystem::temp_directory_path().string(); }

TEST_CASE("a touch of a page that is not there is a minor fault") {
  Exported operation(std::make_unique<FaultOperation>(Fault::minor, ""));
  for (int i = 0; i < 3; ++i) {
    REQUIRE(operation.run(3000));  // more than the region holds twice
  }
  std::uint64_t checked = 0;
  CHECK(operation.verify(checked));
  CHECK(checked == 9000);
  CHECK(operation.message().empty());
  CHECK_FALSE(operation.run(5000));
}

TEST_CASE("touches of pages that are there already are no faults") {
  auto made = std::make_unique<FaultOperation>(Fault::minor, "");
  const std::span<std::byte> region = made->region();
  Exported operation(std::move(made));
  populate(region.first(1000 * kPage));  // so many that no other fault makes up for them
  REQUIRE(operation.run(2000));
  std::uint64_t checked = 0;
  CHECK_FALSE(operation.verify(checked));
  CHECK(operation.message().find("of 2000 touches were no page faults") != std::string::npos);
}

TEST_CASE("a touched page that lost its word, or was not cleared, is noticed") {
  for (const std::size_t byte : {std::size_t{0}, std::size_t{kPage} - 1}) {
    auto made = std::make_unique<FaultOperation>(Fault::minor, "");
    const std::span<std::byte> region = made->region();
    Exported operation(std::move(made));
    REQUIRE(operation.run(10));
    region[3 * kPage + byte] ^= std::byte{4};
    std::uint64_t checked = 0;
    CHECK_FALSE(operation.verify(checked));
    CHECK(operation.message().find("a page holds something else") != std::string::npos);
  }
}

TEST_CASE("touches that take two faults each are noticed") {
  auto made = std::make_unique<FaultOperation>(Fault::minor, "");
  const std::span<const std::byte> region = made->region();
  Exported operation(std::move(made));
  REQUIRE(operation.c.prepare(operation.c.state, 4096) == 0);
  // Maps the kernel's page of zeros, which the touch then has to replace.
  for (std::size_t page = 0; page < 4096; ++page) {
    static_cast<void>(*static_cast<const volatile std::byte*>(&region[page * kPage]));
  }
  REQUIRE(operation.c.run(operation.c.state, 4096) == 0);
  std::uint64_t checked = 0;
  CHECK_FALSE(operation.verify(checked));
  CHECK(operation.message().find("more than one each") != std::string::npos);
}

TEST_CASE("pages that were read from the disk before are no major faults") {
  auto made = std::make_unique<FaultOperation>(Fault::major, scratch());
  const std::span<const std::byte> region = made->region();
  Exported operation(std::move(made));
  for (std::size_t page = 0; page < 10; ++page) {
    static_cast<void>(*static_cast<const volatile std::byte*>(&region[page * kPage]));
  }
  REQUIRE(operation.run(10));
  std::uint64_t checked = 0;
  CHECK_FALSE(operation.verify(checked));
  CHECK(operation.message().find("10 of 10 touches were no major faults") != std::string::npos);
}

TEST_CASE("a page of small pages is no fault of a huge page") {
  std::unique_ptr<FaultOperation> made;
  try {
    made = std::make_unique<FaultOperation>(Fault::huge, "");
  } catch (const TierError& error) {
    MESSAGE("skipped: " << error.what());
    return;
  }
  const std::span<std::byte> region = made->region();
  REQUIRE(madvise(region.data(), region.size(), MADV_NOHUGEPAGE) == 0);
  Exported operation(std::move(made));
  REQUIRE(operation.run(4));
  std::uint64_t checked = 0;
  CHECK_FALSE(operation.verify(checked));
  CHECK(operation.message().find("4 of 4 touches were no faults of a huge page") !=
        std::string::npos);
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

  // Another page than the one that was stored there.
  const Mapping zeros = Mapping::reserve(16 * kMiB);
  const std::array<iovec, 1> all = {iovec{zeros.data(), static_cast<std::size_t>(zeros.size())}};
  CHECK_NOTHROW(lower->write(0, all));
  REQUIRE(operation.run(4096));
  CHECK_FALSE(operation.verify(checked));
  CHECK(operation.message().find("something else than the lower tier") != std::string::npos);
}

}  // namespace
}  // namespace stratoperf::memory
