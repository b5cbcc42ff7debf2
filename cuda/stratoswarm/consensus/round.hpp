// One quorum round over a batch of votes, on a device.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "cuda/stratoswarm/consensus/calibration.hpp"
#include "cuda/stratoswarm/consensus/engine.hpp"
#include "stratoswarm/consensus/outcome.hpp"

namespace stratoperf::cuda::consensus {

struct Parameters {
  Settings settings = {};
  std::uint64_t capacity = 0;     // votes for which memory is allocated at once
  std::optional<Mode> mode = {};  // the fastest for each size of batch, where there is none
};

// The twin of stratoperf::consensus::Round: the same outcomes, bit for bit. Keeps its memory from
// batch to batch. For one thread at a time.
class Round {
 public:
  // Throws std::invalid_argument for parameters that make no round, Unavailable when there is no
  // device, OutOfMemory.
  explicit Round(const Parameters& parameters);

  // Decides a batch. `stop`, if there is one, is polled every few microseconds; once it returns
  // true the outcome is undefined and the result is false. Throws std::invalid_argument for a batch
  // of 2^31 votes or more, or one that the mode cannot decide; std::runtime_error when another
  // thread is in this function; OutOfMemory for a batch that is too large, and the next may be
  // smaller; Unavailable in a forked process; Error when the device or the kernel fails.
  bool decide(const Votes& votes, stratoperf::consensus::Outcome& outcome, const Stop& stop = {});

  const Parameters& parameters() const { return parameters_; }

 private:
  bool choose_mode(std::uint64_t count, const Stop& stop, Mode& mode);

  Parameters parameters_;
  Engine engine_;
  std::vector<std::pair<Plan, Mode>> chosen_;  // by calibration
  std::atomic<bool> busy_ = false;
};

}  // namespace stratoperf::cuda::consensus
