// The speed of the machine at this moment, by a small reference workload: what a step of integer
// arithmetic takes, and what a read of memory takes that no cache answers.
//
// Both are chains whose every step needs the one before. So each time is a latency: it follows the
// clock rate of the core and the speed of the memory, and hardly what else shares the core's units.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace stratoperf {

// Times in nanoseconds, each the least of several short repeats: an interruption can only lengthen
// a repeat, and leaves the others alone.
struct Reference {
  double integer_ns = 0;         // a step: shift, exclusive or, multiplication, addition
  double memory_ns = 0;          // a step: the same, and one read; 0 where no buffer was to be had
  std::size_t memory_bytes = 0;  // length of the buffer that was read
  std::string reason = {};       // why there is no memory_ns
};

// Takes about 20 ms, and memory_bytes (rounded down to a power of two) only meanwhile. Where a
// buffer of that size is refused it tries smaller ones, down to 1 MiB; memory_bytes = 0 asks for
// none.
Reference read_reference(std::size_t memory_bytes);

// The workloads themselves; they return the state after the last step.
std::uint64_t integer_chain(std::uint64_t state, std::uint64_t steps);
// The number of words is a power of two, at least kWordsPerLine.
std::uint64_t memory_chain(std::span<const std::uint64_t> words, std::uint64_t state,
                           std::uint64_t steps);

// Each read takes the first word of a block of this many: the longest cache line in use.
inline constexpr std::size_t kWordsPerLine = 16;

}  // namespace stratoperf
