// What every backend asks of a round and of a batch.
#pragma once

#include <atomic>
#include <cstdint>

#include "stratoswarm/consensus/rules.hpp"

namespace stratoperf::consensus {

// Throws std::invalid_argument, naming the parameter, for parameters that make no round.
void require_round(const Limits& limits, std::uint32_t quorum, std::uint64_t capacity);

// Throws std::invalid_argument for a batch of 2^31 votes or more: tallies are 32 bits wide.
void require_batch(std::uint64_t votes);

// Holds a Round while it decides. Throws std::runtime_error when another thread has it.
class Busy {
 public:
  explicit Busy(std::atomic<bool>& flag) : flag_(flag) {
    if (flag_.exchange(true, std::memory_order_acquire)) {
      refuse();
    }
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { flag_.store(false, std::memory_order_release); }

 private:
  [[noreturn]] static void refuse();

  std::atomic<bool>& flag_;
};

}  // namespace stratoperf::consensus
