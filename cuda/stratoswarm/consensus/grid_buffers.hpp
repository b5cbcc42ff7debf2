// The device memory of rounds over the whole device, made when it is first needed.
#pragma once

#include "cuda/device/memory.hpp"
#include "cuda/device/stream.hpp"
#include "cuda/stratoswarm/consensus/plan.hpp"
#include "cuda/stratoswarm/consensus/work.hpp"

namespace stratoperf::cuda::consensus {

class GridBuffers {
 public:
  // Makes sure that there is room for a plan. True when memory has moved: whoever holds addresses
  // must ask again. Throws OutOfMemory, and then what was there is as before.
  bool reserve(const Plan& plan, const Limits& limits, std::uint32_t segment, DeviceId device);

  // Fills in the parts of a kernel's work that speak of this memory.
  void describe(const Plan& plan, Work& work) const;

  // Queues zeroing the table for the next round with the same plan.
  void clear_table(const Plan& plan, const Limits& limits, const Stream& stream) const;

  // The next round must not trust what a round that failed left behind.
  void distrust() { trusted_ = false; }
  // Queues zeroing everything that must be zero between rounds, if it may not be.
  void restore(const Stream& stream);

 private:
  DeviceMemory table_;
  DeviceMemory totals_;
  DeviceMemory equivocators_;  // of warps, then of blocks
  DeviceMemory tallies_;
  std::uint32_t segment_ = 0;
  bool trusted_ = false;
};

}  // namespace stratoperf::cuda::consensus
