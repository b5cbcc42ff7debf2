// The place of a thread in its block, and sums over warps.
#pragma once

#include <cstdint>

#include "cuda/device/kernel.cuh"

namespace stratoperf::cuda {

// The lane of a thread in its warp, and the warp in its block.
__device__ inline std::uint32_t lane_number() { return threadIdx.x % kWarp; }
__device__ inline std::uint32_t warp_number() { return threadIdx.x / kWarp; }

// The sum over a warp, in lane 0.
template <typename T>
__device__ inline T warp_sum(T value) {
  for (unsigned distance = kWarp / 2; distance > 0; distance /= 2) {
    value += __shfl_down_sync(kAllLanes, value, distance);
  }
  return value;
}

}  // namespace stratoperf::cuda
