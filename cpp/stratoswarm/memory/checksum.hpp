// A checksum that tells a block from a damaged one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace stratoperf::memory {

// Sums up bytes that come in pieces, each but the last a multiple of 64 bytes long. Faster than
// memory, so that checking a block costs no more than reading it; not meant against an attacker.
class Checksum {
 public:
  void add(std::span<const std::byte> bytes);
  std::uint64_t value() const;

 private:
  static constexpr std::size_t kLanes = 8;
  // Odd numbers with no pattern: the fractional parts of the square roots of the first primes.
  std::uint64_t lanes_[kLanes] = {0x6a09e667f3bcc909, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                  0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                  0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
  std::uint64_t length_ = 0;
};

std::uint64_t checksum_of(std::span<const std::byte> bytes);

}  // namespace stratoperf::memory
