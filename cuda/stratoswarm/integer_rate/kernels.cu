#include "cuda/device/launch.hpp"
#include "cuda/device/warp.cuh"
#include "cuda/stratoswarm/integer_rate/kernels.hpp"

namespace stratoperf::cuda::integer_rate {
namespace {

// A step is a comparison of two words and an addition where they are equal: two of the operations
// that the 64 lanes for 32-bit integers of a multiprocessor do one of a clock each. Of an H100 or
// H200, 132 * 64 / 2 * 1.75e9 = 7.4e12 steps/s; the key of the next 16 steps takes 3 % of that.
//
// The step from key to key is an argument, 1, so that the compiler cannot know the outcome.
__global__ void __launch_bounds__(kThreads)
    count_equal(std::uint32_t keys, std::uint32_t step, std::uint64_t* counted) {
  const std::uint32_t thread = blockIdx.x * kThreads + threadIdx.x;
  std::uint32_t words[kThreadWords];
  std::uint32_t counts[kThreadWords];
#pragma unroll
  for (std::uint32_t i = 0; i < kThreadWords; ++i) {
    words[i] = (thread + i * 0x9e3779b9u) % keys;
    counts[i] = 0;
  }
  std::uint32_t key = 0;
#pragma unroll 4
  for (std::uint32_t number = 0; number < keys; ++number) {
#pragma unroll
    for (std::uint32_t i = 0; i < kThreadWords; ++i) {
      counts[i] += words[i] == key ? 1 : 0;
    }
    key += step;
  }
  std::uint32_t sum = 0;
#pragma unroll
  for (std::uint32_t i = 0; i < kThreadWords; ++i) {
    sum += counts[i];
  }
  sum = warp_sum(sum);
  if (lane_number() == 0) {
    atomic_add(counted, sum);
  }
}

}  // namespace

void launch_count(std::uint32_t keys, std::uint64_t* counted, unsigned blocks,
                  const Stream& stream) {
  launch("count_equal", &count_equal, {blocks, kThreads, 0}, stream, keys, 1u, counted);
}

}  // namespace stratoperf::cuda::integer_rate
