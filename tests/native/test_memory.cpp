// Extents, checksums, copies and tiers.
#include <doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "stratoswarm/memory/checksum.hpp"
#include "stratoswarm/memory/copy.hpp"
#include "stratoswarm/memory/extents.hpp"
#include "stratoswarm/memory/file_tier.hpp"
#include "stratoswarm/memory/memory_tier.hpp"

namespace stratoperf::memory {
namespace {

std::string scratch() { return std::filesystem::temp_directory_path().string(); }

iovec whole(const Mapping& mapping) {
  return {mapping.data(), static_cast<std::size_t>(mapping.size())};
}

TEST_CASE("extents that are in use never overlap, and all of the room comes back") {
  constexpr std::uint64_t kCapacity = 64 * kPage;
  Extents extents(kCapacity);
  std::vector<Extent> used;
  std::uint64_t state = 1;
  const auto random = [&state](std::uint64_t below) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % below;
  };
  for (int step = 0; step < 2000; ++step) {
    if (used.empty() || random(2) == 0) {
      const auto extent = extents.allocate((1 + random(8)) * kPage);
      if (!extent) {
        continue;
      }
      REQUIRE(extent->end() <= kCapacity);
      for (const Extent& other : used) {
        REQUIRE((extent->end() <= other.offset || other.end() <= extent->offset));
      }
      used.push_back(*extent);
    } else {
      const auto victim = used.begin() + static_cast<std::ptrdiff_t>(random(used.size()));
      extents.release(*victim);
      used.erase(victim);
    }
    std::uint64_t sum = 0;
    for (const Extent& extent : used) {
      sum += extent.size;
    }
    REQUIRE(extents.used() == sum);
  }
  for (const Extent& extent : used) {
    extents.release(extent);
  }
  REQUIRE(extents.gaps().size() == 1);
  CHECK(extents.gaps().front().size == kCapacity);
}

TEST_CASE("the lowest room that fits is used again") {
  Extents extents(8 * kPage);
  const Extent first = *extents.allocate(2 * kPage);
  static_cast<void>(extents.allocate(kPage));
  extents.release(first);
  CHECK(extents.allocate(kPage)->offset == 0);
  CHECK(extents.allocate(2 * kPage)->offset == 3 * kPage);
  CHECK_FALSE(extents.allocate(8 * kPage));
}

TEST_CASE("a checksum does not depend on the pieces, and sees every bit and the length") {
  std::vector<std::byte> bytes(4 * kPage);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(i * 131 + (i >> 8));
  }
  const std::uint64_t expected = checksum_of(bytes);
  Checksum pieces;
  pieces.add(std::span(bytes).first(64));
  pieces.add(std::span(bytes).subspan(64, 8192));
  pieces.add(std::span(bytes).subspan(64 + 8192));
  CHECK(pieces.value() == expected);
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{7}, std::size_t{4096}, bytes.size() - 1}) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] ^= static_cast<std::byte>(1 << bit);
      CHECK(checksum_of(bytes) != expected);
      bytes[at] ^= static_cast<std::byte>(1 << bit);
    }
  }
  CHECK(checksum_of(std::span(bytes).first(bytes.size() - 1)) != expected);
  std::swap_ranges(bytes.begin(), bytes.begin() + 64, bytes.begin() + 64);
  CHECK(checksum_of(bytes) != expected);
  CHECK(checksum_of({}) != checksum_of(std::vector<std::byte>(64)));
}

TEST_CASE("every way to copy gives the same bytes") {
  const Mapping from = Mapping::reserve(3 * kPage);
  const Mapping to = Mapping::reserve(3 * kPage);
  for (std::size_t i = 0; i < from.size(); ++i) {
    from.bytes()[i] = static_cast<std::byte>(i * 7 + i / 256);
  }
  for (const CopyMethod method : copy_methods()) {
    CAPTURE(to_string(method));
    for (const std::size_t size : {std::size_t{64}, std::size_t{kPage}, std::size_t{2 * kPage}}) {
      std::memset(to.data(), 0xee, to.size());
      copy(method, to.data(), from.data(), size);
      CHECK(std::memcmp(to.data(), from.data(), size) == 0);
      CHECK(to.bytes()[size] == std::byte{0xee});
    }
  }
}

TEST_CASE("a mapping begins at a multiple of what was asked for") {
  for (const std::uint64_t alignment : {kPage, kHugePage}) {
    const Mapping mapping = Mapping::reserve(3 * kPage, alignment);
    CHECK(reinterpret_cast<std::uintptr_t>(mapping.data()) % alignment == 0);
    CHECK(mapping.size() == 3 * kPage);
    populate(mapping.bytes());
    CHECK(mapping.bytes().back() == std::byte{0});
  }
}

void check_round_trip(Tier& tier) {
  const Extent extent = tier.allocate(4 * kPage);
  const Mapping out = Mapping::reserve(4 * kPage);
  const Mapping in = Mapping::reserve(4 * kPage);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out.bytes()[i] = static_cast<std::byte>(i % 251);
  }
  // In three parts that do not lie side by side.
  const std::array<iovec, 3> parts = {iovec{out.data(), kPage},
                                      iovec{out.data() + 2 * kPage, kPage},
                                      iovec{out.data() + kPage, kPage}};
  tier.write(extent.offset, parts);
  tier.flush();
  const std::array<iovec, 1> back = {iovec{in.data(), 3 * kPage}};
  tier.read(extent.offset, back);
  CHECK(std::memcmp(in.data(), out.data(), kPage) == 0);
  CHECK(std::memcmp(in.data() + kPage, out.data() + 2 * kPage, kPage) == 0);
  CHECK(std::memcmp(in.data() + 2 * kPage, out.data() + kPage, kPage) == 0);
  tier.release(extent);
}

TEST_CASE("a tier gives back what was written, also after it was trimmed") {
  const auto check = [](Tier& tier) {
    CAPTURE(tier.name());
    check_round_trip(tier);
    tier.trim();
    check_round_trip(tier);
    CHECK(tier.used() == 0);
  };
  MemoryTier base("base", 64 * kPage, Pages::base, std::nullopt);
  check(base);
  FileTier file("file", 64 * kPage, scratch());
  check(file);
}

TEST_CASE("a tier keeps what lies beside the room that it gives back") {
  FileTier file("file", 64 * kPage, scratch());
  MemoryTier memory("memory", 64 * kPage, Pages::base, std::nullopt);
  const Mapping out = Mapping::reserve(kPage);
  const Mapping in = Mapping::reserve(kPage);
  std::memset(out.data(), 0x5a, kPage);
  for (Tier* const tier : {static_cast<Tier*>(&file), static_cast<Tier*>(&memory)}) {
    const Extent before = tier->allocate(kPage);
    const Extent kept = tier->allocate(kPage);
    const Extent behind = tier->allocate(8 * kPage);
    const iovec part = whole(out);
    tier->write(kept.offset, {&part, 1});
    tier->release(before);
    tier->release(behind);
    tier->trim();
    const iovec back = whole(in);
    tier->read(kept.offset, {&back, 1});
    CHECK(std::memcmp(in.data(), out.data(), kPage) == 0);
    // What was given back can be had again.
    CHECK(tier->allocate(16 * kPage).offset >= kept.end());
    tier->write(tier->allocate(kPage).offset, {&part, 1});
  }
}

TEST_CASE("a tier without room says how much there is") {
  MemoryTier tier("small", 2 * kPage, Pages::base, std::nullopt);
  static_cast<void>(tier.allocate(kPage));
  CHECK_THROWS_WITH_AS(static_cast<void>(tier.allocate(2 * kPage)),
                       "small has no room for 8192 bytes: 4096 of 8192 bytes are used; free "
                       "blocks, or allow a larger share of what is free",
                       TierError);
}

TEST_CASE("the file of a disk has no name") {
  const std::string directory = scratch() + "/stratoperf-native-" + std::to_string(getpid());
  std::filesystem::create_directory(directory);
  {
    FileTier tier("file", 64 * kPage, directory);
    static_cast<void>(tier.allocate(kPage));
    CHECK(std::filesystem::is_empty(directory));
  }
  std::filesystem::remove(directory);
  CHECK_THROWS_AS(FileTier("file", kPage, directory), TierError);
}

TEST_CASE("a file that was cut short is noticed") {
  FileTier tier("file", 64 * kPage, scratch());
  const Extent extent = tier.allocate(4 * kPage);
  const Mapping buffer = Mapping::reserve(4 * kPage);
  const iovec part = whole(buffer);
  for (const off_t length : {off_t{0}, off_t{2 * kPage}, off_t{100}}) {
    CAPTURE(length);
    REQUIRE(ftruncate(tier.file().number(), length) == 0);
    CHECK_THROWS_AS(tier.read(extent.offset, {&part, 1}), TierError);
  }
}

TEST_CASE("a NUMA node that does not exist is refused") {
  CHECK_THROWS_AS(MemoryTier("far", kPage, Pages::base, 5000U), TierError);
}

}  // namespace
}  // namespace stratoperf::memory
