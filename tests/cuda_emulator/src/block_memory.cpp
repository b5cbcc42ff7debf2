#include "block_memory.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace cuda_emulator {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kCanary = 0;
#else
constexpr std::size_t kCanary = 1024;  // more than a warp of 16-byte elements too far
#endif
constexpr unsigned char kCanaryByte = 0xc5;

bool untouched(const unsigned char* canary) {
  return std::all_of(canary, canary + kCanary,
                     [](unsigned char byte) { return byte == kCanaryByte; });
}

}  // namespace

void BlockMemory::renew(std::size_t bytes, Generator& random) {
  memory_ = std::make_unique_for_overwrite<unsigned char[]>(bytes + 2 * kCanary);
  bytes_ = bytes;
  std::fill_n(memory_.get(), kCanary, kCanaryByte);
  std::fill_n(data() + bytes, kCanary, kCanaryByte);
  for (std::size_t i = 0; i < bytes; i += sizeof(std::uint64_t)) {
    const std::uint64_t word = random.next();
    std::memcpy(data() + i, &word, std::min(sizeof word, bytes - i));
  }
}

unsigned char* BlockMemory::data() const { return memory_.get() + kCanary; }

bool BlockMemory::whole() const { return untouched(memory_.get()) && untouched(data() + bytes_); }

}  // namespace cuda_emulator
