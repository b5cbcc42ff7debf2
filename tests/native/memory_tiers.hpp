// Tiers for tests, which fail on demand or do less than they should.
#pragma once

#include <atomic>
#include <cstring>
#include <optional>
#include <vector>

#include "stratoswarm/memory/memory_tier.hpp"

namespace stratoperf::memory {

// Memory that the host cannot address, as a GPU's, and that can be told to fail.
class FarTier final : public Tier {
 public:
  explicit FarTier(std::uint64_t capacity) : Tier("far", capacity), bytes_(capacity) {}

  void read(std::uint64_t offset, std::span<const iovec> parts) override {
    if (drops_reads) {
      return;
    }
    for (const iovec& part : parts) {
      std::memcpy(part.iov_base, bytes_.data() + offset, part.iov_len);
      offset += part.iov_len;
    }
  }
  void write(std::uint64_t offset, std::span<const iovec> parts) override {
    if (writes_left-- <= 0) {
      throw TierError("far memory is broken");
    }
    if (drops_writes) {
      return;
    }
    for (const iovec& part : parts) {
      std::memcpy(bytes_.data() + offset, part.iov_base, part.iov_len);
      offset += part.iov_len;
    }
    ++calls;
  }
  void flush() override {
    if (broken_flush) {
      throw TierError("far memory cannot be flushed");
    }
  }
  bool durable() const override { return true; }
  std::byte* raw() { return bytes_.data(); }

  std::atomic<int> writes_left = 1 << 30;
  std::atomic<int> calls = 0;
  bool broken_flush = false;
  // Moves nothing, and says that all is well.
  bool drops_reads = false;
  bool drops_writes = false;

 protected:
  void commit(const Extent& /*extent*/) override {}
  void discard(const Extent& /*extent*/) override {}

 private:
  std::vector<std::byte> bytes_;
};

inline std::vector<std::byte> content(std::uint64_t size, unsigned seed) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  std::uint64_t state = seed;
  for (std::byte& one : bytes) {
    state = state * 6364136223846793005 + 1442695040888963407;
    one = static_cast<std::byte>(state >> 56);
  }
  return bytes;
}

// Memory that keeps its pages when it should give them back.
class KeepingTier final : public MemoryTier {
 public:
  explicit KeepingTier(std::uint64_t capacity)
      : MemoryTier("keeping", capacity, Pages::base, std::nullopt) {}

 protected:
  void discard(const Extent& /*extent*/) override {}
};

}  // namespace stratoperf::memory
