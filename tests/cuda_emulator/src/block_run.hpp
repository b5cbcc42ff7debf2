// Running one block: the order of its threads, and what they wait for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "block_memory.hpp"
#include "cuda_emulator/block.hpp"
#include "cuda_emulator/control.hpp"
#include "generator.hpp"
#include "thread.hpp"

namespace cuda_emulator {

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
  std::uint64_t patience_ns = 0;
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
  unsigned char* shared() const { return shared_.data(); }
  // Lets the others run until what `state` means has come. Throws when it never will.
  void wait(Thread::State state);
  [[noreturn]] void fail(const std::string& what) const;

 private:
  struct Warp {
    std::array<unsigned, kWarpSize> order = {};  // of its threads, by number
    unsigned size = 0;
    unsigned waiting = 0;  // the lanes that wait at a collective
  };

  void prepare();
  void prepare_warps();
  void start(unsigned number);
  void run_ready();
  bool advance(Warp& warp);
  bool complete_collective(const Thread& last, Warp& warp);
  void complete_barrier();
  bool poll_again();
  void resume(Thread& thread);
  void unwind();
  Threads threads() const { return {threads_.data(), count_}; }

  const Launch* launch_ = nullptr;
  uint3 block_ = {};
  unsigned count_ = 0;     // threads of the block
  unsigned finished_ = 0;  // and how many of them have ended
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Warp> warps_;
  std::vector<Warp*> order_;  // of the warps
  std::vector<Warp*> open_;   // those that may go on, in a random order
  std::vector<Thread*> polling_;
  std::uint64_t polling_since_ = 0;
  bool progress_ = true;  // beyond polling
  bool unwinding_ = false;
  Generator random_;
  Thread* current_ = nullptr;
  BlockMemory shared_;
  std::exception_ptr thrown_;
};

// The runner whose kernel this thread of the host is in; throws outside of one.
BlockRunner& runner();

// Results of a collective whose lanes are all there: replaces the values of `lanes` (null where the
// mask has none). Throws KernelFailure for a shuffle from a lane that is not there.
void compute(Collective kind, unsigned mask, Thread* const* lanes);

}  // namespace cuda_emulator
