#include "stratoswarm/memory/handles.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "stratoswarm/memory/tier.hpp"

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

#ifdef MADV_POPULATE_WRITE
namespace {

int populate_by_advice(std::span<std::byte> range) {
  int failed = 0;
  do {
    failed = madvise(range.data(), range.size(), MADV_POPULATE_WRITE);
  } while (failed != 0 && errno == EINTR);
  return failed;
}

// A kernel before 5.14 refuses the advice; an emulator of one (qemu-user) takes it and does
// nothing.
bool advice_populates() {
  static const bool works = [] {
    const Mapping page = Mapping::reserve(kPage);
    unsigned char present = 0;
    return populate_by_advice(page.bytes()) == 0 && mincore(page.data(), kPage, &present) == 0 &&
           (present & 1) != 0;
  }();
  return works;
}

}  // namespace
#endif

void populate(std::span<std::byte> range) {
#ifdef MADV_POPULATE_WRITE
  if (advice_populates()) {
    if (populate_by_advice(range) != 0) {
      throw TierError("cannot get " + std::to_string(range.size()) +
                      " bytes of memory: " + reason_of(errno));
    }
    return;
  }
#endif
  for (std::size_t at = 0; at < range.size(); at += kPage) {
    volatile auto* const byte = &range[at];
    *byte = *byte;
  }
}

}  // namespace stratoperf::memory
