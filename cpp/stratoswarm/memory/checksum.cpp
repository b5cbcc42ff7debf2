#include "stratoswarm/memory/checksum.hpp"

#include <bit>
#include <cstring>

namespace stratoperf::memory {
namespace {

// Odd, so that multiplying loses no bit; the golden ratio spreads them.
constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;

std::uint64_t mixed(std::uint64_t lane, std::uint64_t word) {
  return std::rotl(lane ^ word, 29) * kMultiplier;
}

}  // namespace

void Checksum::add(std::span<const std::byte> bytes) {
  constexpr std::size_t kStep = kLanes * sizeof(std::uint64_t);
  length_ += bytes.size();
  std::uint64_t words[kLanes];
  while (bytes.size() >= kStep) {
    std::memcpy(words, bytes.data(), kStep);
    // Independent chains, so that one multiplication need not wait for the other.
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      lanes_[lane] = mixed(lanes_[lane], words[lane]);
    }
    bytes = bytes.subspan(kStep);
  }
  if (!bytes.empty()) {
    std::memset(words, 0, kStep);
    std::memcpy(words, bytes.data(), bytes.size());
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      lanes_[lane] = mixed(lanes_[lane], words[lane]);
    }
  }
}

std::uint64_t Checksum::value() const {
  std::uint64_t sum = length_;
  for (const std::uint64_t lane : lanes_) {
    sum = mixed(sum, lane);
    sum ^= sum >> 32;
  }
  return sum;
}

std::uint64_t checksum_of(std::span<const std::byte> bytes) {
  Checksum checksum;
  checksum.add(bytes);
  return checksum.value();
}

}  // namespace stratoperf::memory
