#include "cuda_emulator/block.hpp"

#include <chrono>
#include <string>

#include "block_run.hpp"
#include "diagnosis.hpp"

namespace cuda_emulator {

const uint3& thread_index() { return runner().current().index; }
const uint3& block_index() { return runner().block(); }
const dim3& block_dimensions() { return runner().launch().block; }
const dim3& grid_dimensions() { return runner().launch().grid; }
unsigned char* shared_memory() { return runner().shared(); }

void relax() { runner().wait(Thread::State::polling); }

std::uint64_t nanoseconds() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

int barrier(Vote vote, bool predicate, const std::source_location& where) {
  Thread& thread = runner().current();
  thread.where = where;
  thread.vote = vote;
  thread.predicate = predicate;
  runner().wait(Thread::State::barrier);
  return thread.votes;
}

std::uint64_t collective(Collective kind, unsigned mask, std::uint64_t value, unsigned argument,
                         unsigned width, const std::source_location& where) {
  Thread& thread = runner().current();
  if ((mask >> thread.lane() & 1) == 0) {
    runner().fail("lane " + std::to_string(thread.lane()) +
                  " calls a collective whose mask does not have it, at " + place(where));
  }
  thread.where = where;
  thread.kind = kind;
  thread.mask = mask;
  thread.value = value;
  thread.argument = argument;
  thread.width = width;
  runner().wait(Thread::State::collective);
  return thread.value;
}

}  // namespace cuda_emulator
