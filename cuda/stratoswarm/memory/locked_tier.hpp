// CPU memory that a device copies from and to by itself.
#pragma once

#include "cuda/device/memory.hpp"
#include "cuda/stratoswarm/memory/slabs.hpp"
#include "stratoswarm/memory/memory_tier.hpp"

namespace stratoperf::cuda::memory {

// What is locked at a time, and a multiple of which every such part begins at: calls that copy are
// cut there, since none may reach from one locked part into the next.
inline constexpr std::uint64_t kLockedSlab = std::uint64_t{32} << 20;

// CPU memory as in a manager without a device, but page-locked where blocks lie: their bytes need
// no copy into another buffer on the way to a device. What is locked stays so until trim().
class LockedTier final : public stratoperf::memory::MemoryTier {
 public:
  // `device` is any that there is: the memory is locked for all. Throws as MemoryTier does.
  LockedTier(std::string name, std::uint64_t capacity, stratoperf::memory::Pages pages,
             std::optional<unsigned> node, DeviceId device);

 protected:
  void commit(const stratoperf::memory::Extent& extent) override;
  void discard(const stratoperf::memory::Extent& extent) override;

 private:
  DeviceId device_;
  Slabs<RegisteredMemory> locked_ = {};
};

}  // namespace stratoperf::cuda::memory
