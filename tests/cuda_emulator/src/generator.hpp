// Random numbers for orders and garbage: cheap, and the same on every platform.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace cuda_emulator {

// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): any seed is a good one.
class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t word = state_ += 0x9e3779b97f4a7c15u;
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9u;
    word = (word ^ word >> 27) * 0x94d049bb133111ebu;
    return word ^ word >> 31;
  }

  // From 0 to n - 1, for n below 2^32.
  std::size_t below(std::size_t n) { return (next() >> 32) * n >> 32; }

  template <typename T>
  void shuffle(std::span<T> values) {
    for (std::size_t left = values.size(); left > 1; --left) {
      std::swap(values[left - 1], values[below(left)]);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace cuda_emulator
