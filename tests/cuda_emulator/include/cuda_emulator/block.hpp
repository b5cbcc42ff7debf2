// What a thread of an emulated block can ask and do.
#pragma once

#include <cstdint>
#include <source_location>

#include "cuda_emulator/types.hpp"

namespace cuda_emulator {

inline constexpr unsigned kWarpSize = 32;

// The position of the running thread. Fails outside of a kernel.
const uint3& thread_index();
const uint3& block_index();
const dim3& block_dimensions();
const dim3& grid_dimensions();

// Exactly the bytes that the launch asked for, aligned to 16 bytes, filled with garbage.
unsigned char* shared_memory();

// Called in loops that poll: lets the other threads of the block, and of the host, run. Ends the
// kernel when the device was lost, or when nothing but polling has happened for too long.
void relax();

// The device's clock.
std::uint64_t nanoseconds();

// What a barrier of the whole block counts.
enum class Vote : std::uint8_t { none, count, any, all };

// Waits for all threads of the block. Returns what the vote over `predicate` says.
int barrier(Vote vote, bool predicate, const std::source_location& where);

enum class Collective : std::uint8_t {
  sync,
  ballot,
  shuffle,
  shuffle_up,
  shuffle_down,
  shuffle_xor,
  match_any,
  reduce_add,
  reduce_min,
  reduce_max,
  reduce_and,
  reduce_or,
};

// Waits for the lanes in `mask` and returns this lane's result. `argument` is the lane, distance or
// lane mask of a shuffle, `width` its segment.
std::uint64_t collective(Collective kind, unsigned mask, std::uint64_t value, unsigned argument,
                         unsigned width, const std::source_location& where);

}  // namespace cuda_emulator
