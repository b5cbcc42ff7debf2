// Running one block: its threads, what they wait for, and what goes wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda_emulator/block.hpp"
#include "cuda_emulator/control.hpp"
#include "fiber.hpp"

namespace cuda_emulator {

// A mistake of the kernel.
class KernelFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Ends a thread of a kernel whose device was lost.
struct DeviceLost {};

// What one launch asks for.
struct Launch {
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;
  std::function<void()> body;
  Order order = Order::ascending;
  std::uint64_t seed = 0;
};

// One thread of a block.
struct Thread {
  enum class State : std::uint8_t { ready, barrier, collective, finished };

  uint3 index = {};
  unsigned number = 0;  // in the block
  State state = State::finished;
  std::source_location where = {};  // what it waits at
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
};

// Runs the blocks of launches, one at a time; keeps its threads from one to the next.
class BlockRunner {
 public:
  // Throws KernelFailure, or DeviceLost.
  void run(const Launch& launch, const uint3& block);

  // For the running thread of the kernel.
  Thread& current() const { return *current_; }
  const uint3& block() const { return block_; }
  const Launch& launch() const { return *launch_; }
  unsigned char* shared() const { return shared_; }
  void wait();

 private:
  void prepare();
  bool run_ready();
  bool complete_collectives();
  bool complete_collective(Thread& first);
  void complete_barrier();
  void check_shared() const;
  void resume(Thread& thread);
  [[noreturn]] void fail(const std::string& what) const;
  std::string waiting() const;

  const Launch* launch_ = nullptr;
  uint3 block_ = {};
  unsigned count_ = 0;  // threads of the block
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<unsigned> order_;
  std::mt19937_64 random_;
  Thread* current_ = nullptr;
  std::unique_ptr<unsigned char[]> shared_memory_;
  unsigned char* shared_ = nullptr;
  std::exception_ptr thrown_;
};

// The runner whose kernel this thread of the host is in; throws outside of one.
BlockRunner& runner();

// Results of a collective whose lanes are all there: replaces the values of `lanes` (null where the
// mask has none). Throws KernelFailure for a shuffle from a lane that is not there.
void compute(Collective kind, unsigned mask, Thread* const* lanes);

}  // namespace cuda_emulator
