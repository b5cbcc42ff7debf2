// The speed of the machine at this moment, by a small reference workload: what a step of integer
// arithmetic takes, and what a read of memory takes that no cache answers.
//
// The arithmetic is four chains side by side, about three instructions a cycle, as busy code has.
// It follows the clock rate of the core and, unlike a single chain, what another hardware thread
// leaves of the core. The reads are one chain: each needs the one before, so their time is a
// latency.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace stratoperf {

// Times in nanoseconds, each the lower quartile of 40 short repeats.
struct Reference {
  double integer_ns = 0;  // a step of all four chains
  double memory_ns = 0;   // a read, and the few operations that say where; 0 without a buffer
  std::size_t memory_bytes = 0;  // length of the buffer that was read
  std::string reason = {};       // why there is no memory_ns
};

// Takes about 20 ms, and memory_bytes (rounded down to a power of two) only meanwhile. Where a
// buffer of that size is refused it tries smaller ones, down to 1 MiB; memory_bytes = 0 asks for
// none.
Reference read_reference(std::size_t memory_bytes);

// The workloads themselves. They return the state after the last step; of the four chains, whose
// seeds follow from `state`, the sum.
std::uint64_t integer_chains(std::uint64_t state, std::uint64_t steps);
// The number of words is a power of two, at least kWordsPerLine.
std::uint64_t memory_chain(std::span<const std::uint64_t> words, std::uint64_t state,
                           std::uint64_t steps);

// Each read takes the first word of a block of this many: the longest cache line in use.
inline constexpr std::size_t kWordsPerLine = 16;

}  // namespace stratoperf
