#include "cuda/stratoswarm/memory/locked_tier.hpp"

#include <algorithm>
#include <utility>

#include "cuda/device/error.hpp"

namespace stratoperf::cuda::memory {

using stratoperf::memory::Extent;
using stratoperf::memory::MemoryTier;
using stratoperf::memory::Pages;
using stratoperf::memory::TierError;

LockedTier::LockedTier(std::string name, std::uint64_t capacity, Pages pages,
                       std::optional<unsigned> node, DeviceId device)
    : MemoryTier(std::move(name), capacity, pages, node, kLockedSlab), device_(device) {}

void LockedTier::commit(const Extent& extent) {
  try {
    locked_.commit(extent, [this](std::uint64_t begin) {
      const std::uint64_t size = std::min(kLockedSlab, capacity() - begin);
      const Extent slab = {begin, size};
      MemoryTier::commit(slab);
      return std::pair(RegisteredMemory(device_, range(slab).data(), range(slab).size()), size);
    });
  } catch (const Error& error) {
    throw TierError(name() +
                    " cannot be page-locked, as copies to a device need it: " + error.what());
  }
}

void LockedTier::discard(const Extent& extent) {
  const std::uint64_t before = locked_.end();
  locked_.discard(extent);
  if (locked_.end() < before) {
    MemoryTier::discard({locked_.end(), before - locked_.end()});
  }
}

}  // namespace stratoperf::cuda::memory
