#include "core/reference.hpp"

#include <cstdint>
#include <vector>

#include "doctest.h"

namespace stratoperf {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// Written again, so that a change of the workload, or a compiler that leaves some of it out, shows.
std::uint64_t expected_integer(std::uint64_t seed, std::uint64_t steps) {
  std::uint64_t sum = 0;
  for (const std::uint64_t offset : {0U, 2U, 4U, 6U}) {
    std::uint64_t state = (seed | 1) + offset;
    for (std::uint64_t i = 0; i < steps; ++i) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
    }
    sum += state;
  }
  return sum;
}

std::uint64_t expected_memory(const std::vector<std::uint64_t>& words, std::uint64_t state,
                              std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) {
    state ^= state >> 30;
    state *= 0xBF58476D1CE4E5B9U;
    state += 0x9E3779B97F4A7C15U;
    state += words[(state >> 33) % (words.size() / 16) * 16];
  }
  return state;
}

TEST_CASE("the integer chains make every step") {
  for (const std::uint64_t steps : {0U, 1U, 2U, 1000U}) {
    CHECK(integer_chains(7, steps) == expected_integer(7, steps));
  }
}

TEST_CASE("the memory chain depends on every word it reads") {
  for (const std::size_t count : {16U, 32U, 4096U}) {
    std::vector<std::uint64_t> words(count);
    for (std::size_t i = 0; i < count; ++i) {
      words[i] = i * i + 1;
    }
    CHECK(memory_chain(words, 7, 1000) == expected_memory(words, 7, 1000));
  }
}

TEST_CASE("a reading is positive") {
  const Reference reference = read_reference(8 * kMiB);
  CHECK(reference.integer_ns > 0);
  CHECK(reference.memory_ns > 0);
  CHECK(reference.memory_bytes == 8 * kMiB);
  CHECK(reference.reason.empty());
}

TEST_CASE("the buffer is a power of two") {
  CHECK(read_reference(3 * kMiB).memory_bytes == 2 * kMiB);
}

TEST_CASE("without a buffer there is no time of memory, and a reason") {
  for (const std::size_t bytes : {std::size_t{0}, kMiB - 1}) {
    const Reference reference = read_reference(bytes);
    CHECK(reference.integer_ns > 0);
    CHECK(reference.memory_ns == 0);
    CHECK(reference.memory_bytes == 0);
    CHECK(!reference.reason.empty());
  }
}

}  // namespace
}  // namespace stratoperf
