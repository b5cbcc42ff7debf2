// A device's memory as a tier.
#pragma once

#include <string>
#include <vector>

#include "cuda/device/memory.hpp"
#include "cuda/stratoswarm/memory/copier.hpp"
#include "cuda/stratoswarm/memory/slabs.hpp"
#include "stratoswarm/memory/tier.hpp"

namespace stratoperf::cuda::memory {

// Room grows by allocations of this size at least, which is what a device hands out, and at most
// unless a block needs more.
inline constexpr std::uint64_t kSmallestSlab = std::uint64_t{2} << 20;
inline constexpr std::uint64_t kLargestSlab = std::uint64_t{64} << 20;

// Host memory that takes part in its copies is either a LockedTier's or staging() of a tier like
// this, which the device reaches by itself, or pageable, which the driver copies through memory of
// its own. Whatever CUDA refuses is a TierError.
class GpuTier final : public stratoperf::memory::Tier {
 public:
  // Throws std::invalid_argument for a device that is not there, Unavailable.
  GpuTier(std::string name, std::uint64_t capacity, DeviceId device);

  bool copies_itself() const override { return true; }
  std::shared_ptr<std::byte> staging(std::uint64_t size) override;
  // From any device: the driver finds the way.
  bool take(Tier& from, const stratoperf::memory::Extent& source, std::uint64_t offset) override;
  void read(std::uint64_t offset, std::span<const iovec> parts) override;
  void write(std::uint64_t offset, std::span<const iovec> parts) override;

 protected:
  void commit(const stratoperf::memory::Extent& extent) override;
  void discard(const stratoperf::memory::Extent& extent) override;

 private:
  std::pair<DeviceMemory, std::uint64_t> make_slab(std::uint64_t begin, std::uint64_t end) const;
  // Where an offset lies, and how many bytes follow in one piece.
  std::pair<std::byte*, std::uint64_t> locate(std::uint64_t offset) const;
  std::vector<Run> runs(std::uint64_t offset, std::span<const iovec> parts) const;
  template <typename Work>
  auto translated(Work&& work) const;

  DeviceId device_;
  Slabs<DeviceMemory> slabs_ = {};
  Copier copier_;
};

}  // namespace stratoperf::cuda::memory
