#include "workloads/memory/handles.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "workloads/memory/tier.hpp"

namespace stratoperf::memory {

Descriptor::~Descriptor() {
  if (number_ >= 0) {
    close(number_);
  }
}

Mapping::~Mapping() {
  if (address_ != nullptr) {
    munmap(address_, size_);
  }
}

Mapping Mapping::reserve(std::uint64_t size, std::uint64_t alignment) {
  const std::uint64_t padded = size + alignment - kPage;
  void* const address = mmap(nullptr, padded, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    throw TierError("cannot reserve " + std::to_string(padded) +
                    " bytes of addresses: " + reason_of(errno));
  }
  // What lies before the first multiple and behind the size goes back.
  const std::uint64_t start = reinterpret_cast<std::uintptr_t>(address);
  const std::uint64_t aligned = (start + alignment - 1) & ~(alignment - 1);
  auto* const data = static_cast<std::byte*>(address) + (aligned - start);
  if (aligned > start) {
    munmap(address, aligned - start);
  }
  if (const std::uint64_t behind = start + padded - (aligned + size); behind > 0) {
    munmap(data + size, behind);
  }
  return {data, size};
}

void populate(std::span<std::byte> range) {
#ifdef MADV_POPULATE_WRITE
  int failed = 0;
  do {
    failed = madvise(range.data(), range.size(), MADV_POPULATE_WRITE);
  } while (failed != 0 && errno == EINTR);
  if (failed == 0) {
    return;
  }
  if (errno != EINVAL) {  // EINVAL: a kernel before 5.14
    throw TierError("cannot get " + std::to_string(range.size()) +
                    " bytes of memory: " + reason_of(errno));
  }
#endif
  for (std::size_t at = 0; at < range.size(); at += kPage) {
    volatile auto* const byte = &range[at];
    *byte = *byte;
  }
}

}  // namespace stratoperf::memory
