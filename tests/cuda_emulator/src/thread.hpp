// One thread of a block: where it is, and what it waits for.
#pragma once

#include <cstdint>
#include <memory>
#include <source_location>
#include <span>

#include "cuda_emulator/block.hpp"
#include "fiber.hpp"

namespace cuda_emulator {

struct Thread {
  enum class State : std::uint8_t { ready, polling, barrier, collective, finished };

  uint3 index = {};
  unsigned number = 0;  // in the block
  State state = State::finished;
  std::source_location where = {};  // of what it waits at
  Vote vote = Vote::none;
  bool predicate = false;
  int votes = 0;  // the barrier's result
  Collective kind = Collective::sync;
  unsigned mask = 0;
  std::uint64_t value = 0;  // given to a collective, then its result
  unsigned argument = 0;
  unsigned width = 0;
  Fiber fiber = {};

  unsigned lane() const { return number % kWarpSize; }
  unsigned warp() const { return number / kWarpSize; }
};

using Threads = std::span<const std::unique_ptr<Thread>>;

// Whether both wait at the same line of the kernel, for the same thing.
bool same_place(const Thread& a, const Thread& b);

}  // namespace cuda_emulator
