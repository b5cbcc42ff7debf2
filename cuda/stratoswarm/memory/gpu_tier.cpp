#include "cuda/stratoswarm/memory/gpu_tier.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "cuda/device/error.hpp"
#include "cuda/stratoswarm/memory/locked_tier.hpp"

namespace stratoperf::cuda::memory {

using stratoperf::memory::Extent;
using stratoperf::memory::Tier;
using stratoperf::memory::TierError;

namespace {

// Appends bytes to the last run where they go on both sides, and to the list otherwise.
void append(std::vector<Run>& runs, const Run& next) {
  const bool at_seam = reinterpret_cast<std::uintptr_t>(next.other) % kLockedSlab == 0;
  if (!runs.empty() && !at_seam && runs.back().device + runs.back().bytes == next.device &&
      runs.back().other + runs.back().bytes == next.other) {
    runs.back().bytes += next.bytes;
  } else {
    runs.push_back(next);
  }
}

}  // namespace

GpuTier::GpuTier(std::string name, std::uint64_t capacity, DeviceId device)
    : Tier(std::move(name), capacity), device_(device), copier_(device) {
  require_device(device);
}

// What the runtime throws becomes what a tier throws.
template <typename Work>
auto GpuTier::translated(Work&& work) const {
  try {
    return work();
  } catch (const Error& error) {
    throw TierError(name() + ": " + error.what());
  }
}

std::shared_ptr<std::byte> GpuTier::staging(std::uint64_t size) {
  return translated([&] {
    const auto memory = std::make_shared<PinnedMemory>(device_, static_cast<std::size_t>(size));
    return std::shared_ptr<std::byte>(memory, memory->host<std::byte>());
  });
}

bool GpuTier::take(Tier& from, const Extent& source, std::uint64_t offset) {
  const auto* const other = dynamic_cast<const GpuTier*>(&from);
  if (other == nullptr) {
    return false;
  }
  std::vector<Run> all;
  for (std::uint64_t done = 0; done < source.size;) {
    const auto [to, room] = locate(offset + done);
    const auto [origin, rest] = other->locate(source.offset + done);
    const std::uint64_t bytes = std::min({room, rest, source.size - done});
    all.push_back({to, origin, static_cast<std::size_t>(bytes)});
    done += bytes;
  }
  translated([&] { copier_.copy(Way::within, all); });
  return true;
}

void GpuTier::read(std::uint64_t offset, std::span<const iovec> parts) {
  translated([&] { copier_.copy(Way::from_device, runs(offset, parts)); });
}

void GpuTier::write(std::uint64_t offset, std::span<const iovec> parts) {
  translated([&] { copier_.copy(Way::to_device, runs(offset, parts)); });
}

// Cut where the device's parts end, and where the host's may.
std::vector<Run> GpuTier::runs(std::uint64_t offset, std::span<const iovec> parts) const {
  std::vector<Run> all;
  all.reserve(parts.size());
  for (const iovec& part : parts) {
    auto* host = static_cast<std::byte*>(part.iov_base);
    for (std::size_t left = part.iov_len; left > 0;) {
      const auto [device, room] = locate(offset);
      const std::uint64_t locked =
          kLockedSlab - reinterpret_cast<std::uintptr_t>(host) % kLockedSlab;
      const auto bytes = static_cast<std::size_t>(std::min({std::uint64_t{left}, room, locked}));
      append(all, {device, host, bytes});
      offset += bytes;
      host += bytes;
      left -= bytes;
    }
  }
  return all;
}

std::pair<std::byte*, std::uint64_t> GpuTier::locate(std::uint64_t offset) const {
  const auto [memory, extent] = slabs_.at(offset);
  return {memory->data<std::byte>() + (offset - extent.offset), extent.end() - offset};
}

void GpuTier::commit(const Extent& extent) {
  translated([&] {
    slabs_.commit(extent, [&](std::uint64_t begin) { return make_slab(begin, extent.end()); });
  });
}

// As much as there is already, so that many small blocks take few allocations; where that is too
// much, what is needed.
std::pair<DeviceMemory, std::uint64_t> GpuTier::make_slab(std::uint64_t begin,
                                                          std::uint64_t end) const {
  const auto rounded = [&](std::uint64_t size) {
    const std::uint64_t whole = (size + kSmallestSlab - 1) / kSmallestSlab * kSmallestSlab;
    return std::min(whole, capacity() - begin);
  };
  const std::uint64_t needed = rounded(end - begin);
  const std::uint64_t wanted = rounded(std::max(needed, std::min(begin, kLargestSlab)));
  try {
    return {DeviceMemory(device_, static_cast<std::size_t>(wanted)), wanted};
  } catch (const OutOfMemory&) {
    if (wanted == needed) {
      throw;
    }
  }
  return {DeviceMemory(device_, static_cast<std::size_t>(needed)), needed};
}

void GpuTier::discard(const Extent& extent) { slabs_.discard(extent); }

}  // namespace stratoperf::cuda::memory
