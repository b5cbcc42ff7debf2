#include "stratoswarm/memory/memory_tier.hpp"

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

namespace stratoperf::memory {
namespace {

// Nodes that the mask of the system call has room for; the kernel's own limit is 1024.
constexpr unsigned kMaxNodes = 1024;

void bind_to_node(const Mapping& mapping, unsigned node) {
  constexpr unsigned kBits = sizeof(unsigned long) * CHAR_BIT;
  if (node >= kMaxNodes) {
    throw TierError("NUMA node " + std::to_string(node) + " does not exist");
  }
  std::array<unsigned long, kMaxNodes / kBits> mask = {};
  mask[node / kBits] = 1UL << (node % kBits);
  // The kernel reads one bit less than it is told.
  if (syscall(SYS_mbind, mapping.data(), mapping.size(), MPOL_BIND, mask.data(), kMaxNodes + 1,
              0U) != 0) {
    throw TierError("cannot bind memory to NUMA node " + std::to_string(node) + ": " +
                    reason_of(errno));
  }
}

}  // namespace

MemoryTier::MemoryTier(std::string name, std::uint64_t capacity, Pages pages,
                       std::optional<unsigned> node, std::uint64_t alignment)
    : Tier(std::move(name), capacity),
      pages_(pages),
      mapping_(Mapping::reserve(capacity, alignment)) {
  const int advice = pages == Pages::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
  // A kernel without transparent huge pages has nothing to be told not to use them.
  if (madvise(mapping_.data(), mapping_.size(), advice) != 0 && pages == Pages::huge) {
    throw TierError("this kernel has no transparent huge pages: " + reason_of(errno));
  }
  if (node) {
    bind_to_node(mapping_, *node);
  }
}

void MemoryTier::read(std::uint64_t offset, std::span<const iovec> parts) {
  for (const iovec& part : parts) {
    std::memcpy(part.iov_base, mapping_.data() + offset, part.iov_len);
    offset += part.iov_len;
  }
}

void MemoryTier::write(std::uint64_t offset, std::span<const iovec> parts) {
  for (const iovec& part : parts) {
    std::memcpy(mapping_.data() + offset, part.iov_base, part.iov_len);
    offset += part.iov_len;
  }
}

void MemoryTier::commit(const Extent& extent) { populate(range(extent)); }

void MemoryTier::discard(const Extent& extent) {
  const std::span<std::byte> bytes = range(extent);
  madvise(bytes.data(), bytes.size(), MADV_DONTNEED);
}

std::span<std::byte> MemoryTier::range(const Extent& extent) const {
  return mapping_.bytes().subspan(static_cast<std::size_t>(extent.offset),
                                  static_cast<std::size_t>(extent.size));
}

}  // namespace stratoperf::memory
