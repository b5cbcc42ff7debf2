// The emulator runs right kernels rightly, in every order.
#include <doctest.h>

#include <cstdint>
#include <numeric>
#include <vector>

#include "emulated.hpp"

namespace {

using emulated::in_several_orders;
using emulated::run;
using emulated::shared_words;

__global__ void reduce(const unsigned* values, unsigned* sum) {
  unsigned value = values[blockIdx.x * blockDim.x + threadIdx.x];
  for (unsigned distance = 16; distance > 0; distance /= 2) {
    value += __shfl_down_sync(0xffffffffu, value, distance);
  }
  if (threadIdx.x % 32 == 0) {
    shared_words()[threadIdx.x / 32] = value;
  }
  __syncthreads();
  if (threadIdx.x < 32) {
    const unsigned part = threadIdx.x < blockDim.x / 32 ? shared_words()[threadIdx.x] : 0;
    const unsigned total = __reduce_add_sync(0xffffffffu, part);
    if (threadIdx.x == 0) {
      atomicAdd(sum, total);
    }
  }
}

TEST_CASE("a sum by shuffles and shared memory is right in every order") {
  std::vector<unsigned> values(3 * 256);
  std::iota(values.begin(), values.end(), 1u);
  in_several_orders([&] {
    unsigned sum = 0;
    CHECK(run(reduce, 3, 256, 8 * 4, values.data(), &sum) == "");
    CHECK(sum == 768 * 769 / 2);
  });
}

__global__ void compact(const unsigned* values, unsigned count, unsigned* kept, unsigned* size) {
  for (unsigned first = 0; first < count; first += 32) {
    const unsigned i = first + threadIdx.x;
    const bool keep = i < count && values[i] % 3 == 0;
    const unsigned lanes = __ballot_sync(0xffffffffu, keep);
    const unsigned before = static_cast<unsigned>(__popc(lanes & ((1u << threadIdx.x) - 1)));
    if (keep) {
      kept[*size + before] = values[i];
    }
    __syncwarp();
    if (threadIdx.x == 0) {
      *size += static_cast<unsigned>(__popc(lanes));
    }
    __syncwarp();
  }
}

TEST_CASE("ballots compact in order") {
  std::vector<unsigned> values(100);
  std::iota(values.begin(), values.end(), 0u);
  in_several_orders([&] {
    std::vector<unsigned> kept(100);
    unsigned size = 0;
    CHECK(run(compact, 1, 32, 0, values.data(), 100u, kept.data(), &size) == "");
    REQUIRE(size == 34);
    for (unsigned i = 0; i < size; ++i) {
      CHECK(kept[i] == 3 * i);
    }
  });
}

__global__ void collectives(unsigned* results) {
  const unsigned lane = threadIdx.x;
  const unsigned half = lane < 16 ? 0x0000ffffu : 0xffff0000u;
  results[lane] = __match_any_sync(0xffffffffu, lane % 4);
  results[32 + lane] = __shfl_sync(half, lane, static_cast<int>(lane / 16 * 16 + 3));
  results[64 + lane] = __shfl_up_sync(0xffffffffu, lane, 1);
  results[96 + lane] = __shfl_xor_sync(0xffffffffu, lane, 5);
  results[128 + lane] = __reduce_max_sync(half, lane);
  results[160 + lane] = static_cast<unsigned>(__syncthreads_count(lane % 2 == 0));
}

TEST_CASE("collectives give what CUDA defines") {
  in_several_orders([] {
    std::vector<unsigned> results(192);
    CHECK(run(collectives, 1, 32, 0, results.data()) == "");
    for (unsigned lane = 0; lane < 32; ++lane) {
      CHECK(results[lane] == 0x11111111u << lane % 4);
      CHECK(results[32 + lane] == lane / 16 * 16 + 3);
      CHECK(results[64 + lane] == (lane == 0 ? 0 : lane - 1));
      CHECK(results[96 + lane] == (lane ^ 5));
      CHECK(results[128 + lane] == (lane < 16 ? 15 : 31));
      CHECK(results[160 + lane] == 16);
    }
  });
}

__global__ void positions(unsigned* seen) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  atomicAdd(&seen[block * 24 + thread], 1u);
}

TEST_CASE("every thread of every block runs once") {
  in_several_orders([] {
    std::vector<unsigned> seen(30 * 24);
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(2, 3, 5);
    config.blockDim = dim3(4, 3, 2);
    CHECK(cudaLaunchKernelEx(&config, positions, seen.data()) == cudaSuccess);
    CHECK(cudaDeviceSynchronize() == cudaSuccess);
    CHECK(seen == std::vector<unsigned>(30 * 24, 1));
  });
}

__global__ void histogram(const unsigned* values, unsigned count, unsigned* bins) {
  for (unsigned bin = threadIdx.x; bin < 16; bin += blockDim.x) {
    shared_words()[bin] = 0;
  }
  __syncthreads();
  const unsigned stride = gridDim.x * blockDim.x;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) {
    atomicAdd(&shared_words()[values[i] % 16], 1);
  }
  __syncthreads();
  for (unsigned bin = threadIdx.x; bin < 16; bin += blockDim.x) {
    atomicAdd(&bins[bin], shared_words()[bin]);
  }
}

TEST_CASE("a histogram with atomics in shared memory counts every value once") {
  std::vector<unsigned> values(1000);
  std::iota(values.begin(), values.end(), 0u);
  in_several_orders([&] {
    std::vector<unsigned> bins(16);
    CHECK(run(histogram, 3, 96, 64, values.data(), 1000u, bins.data()) == "");
    for (unsigned bin = 0; bin < 16; ++bin) {
      CHECK(bins[bin] == (bin < 8 ? 63 : 62));
    }
  });
}

__global__ void saxpy(float factor, const float* x, float* y, unsigned count) {
  const unsigned stride = gridDim.x * blockDim.x;
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) {
    y[i] = factor * x[i] + y[i];
  }
}

TEST_CASE("a loop over the grid reaches every element once") {
  in_several_orders([] {
    const std::vector<float> x(777, 2);
    std::vector<float> y(777, 1);
    CHECK(run(saxpy, 4, 50, 0, 3.0f, x.data(), y.data(), 777u) == "");
    CHECK(y == std::vector<float>(777, 7));
  });
}

__global__ void signed_numbers(int* results) {
  const int value = static_cast<int>(threadIdx.x) - 16;
  results[0] = __reduce_min_sync(0xffffffffu, value);
  results[1] = __reduce_max_sync(0xffffffffu, value);
  results[2] = __reduce_add_sync(0xffffffffu, value);
  results[3] = __shfl_sync(0xffffffffu, value, 0);
  atomicMin(&results[4], value);
  atomicMax(&results[5], value);
}

TEST_CASE("signed numbers are compared as such") {
  in_several_orders([] {
    std::vector<int> results(6);
    CHECK(run(signed_numbers, 1, 32, 0, results.data()) == "");
    CHECK(results == std::vector<int>{-16, 15, -16, -16, -16, 15});
  });
}

__global__ void atomics(unsigned long long* words) {
  atomicAdd(&words[0], 1);
  atomicOr(&words[1], 1ull << threadIdx.x);
  atomicAnd(&words[2], ~(1ull << threadIdx.x));
  atomicExch(&words[3], 7);
  unsigned long long seen = words[4];
  unsigned long long expected = ~0ull;
  while (seen != expected) {
    expected = seen;
    seen = atomicCAS(&words[4], expected, expected + 2);
  }
}

TEST_CASE("atomics of 64 bits lose nothing") {
  in_several_orders([] {
    std::vector<unsigned long long> words = {0, 0, ~0ull, 0, 0};
    CHECK(run(atomics, 1, 64, 0, words.data()) == "");
    CHECK(words == std::vector<unsigned long long>{64, ~0ull, 0, 7, 128});
  });
}

__global__ void part_of_a_warp(unsigned* results) {
  // Two groups of lanes that never meet, with different numbers of collectives.
  const bool low = threadIdx.x < 10;
  const unsigned mask = low ? 0x000003ffu : 0xfffffc00u;
  unsigned sum = 0;
  for (unsigned i = 0; i < (low ? 3u : 7u); ++i) {
    sum += __reduce_add_sync(mask, 1u);
  }
  results[threadIdx.x] = sum;
}

TEST_CASE("groups of lanes go their own ways") {
  in_several_orders([] {
    std::vector<unsigned> results(32);
    CHECK(run(part_of_a_warp, 1, 32, 0, results.data()) == "");
    for (unsigned lane = 0; lane < 32; ++lane) {
      CHECK(results[lane] == (lane < 10 ? 30 : 7 * 22));
    }
  });
}

__global__ void token(unsigned* words) {
  // Each thread waits until the one after it has had the token.
  while (__atomic_load_n(&words[0], __ATOMIC_RELAXED) != threadIdx.x + 1) {
    __nanosleep(100);
  }
  words[1] = words[1] * 3 + threadIdx.x;
  __atomic_store_n(&words[0], threadIdx.x, __ATOMIC_RELAXED);
}

TEST_CASE("threads of a block may poll for each other") {
  in_several_orders([] {
    std::vector<unsigned> words = {64, 0};
    CHECK(run(token, 1, 64, 0, words.data()) == "");
    unsigned expected = 0;
    for (unsigned i = 64; i-- > 0;) {
      expected = expected * 3 + i;
    }
    CHECK(words == std::vector<unsigned>{0, expected});
  });
}

__global__ void many_barriers(unsigned* results) {
  unsigned* const words = shared_words();
  words[threadIdx.x] = threadIdx.x;
  for (unsigned distance = 1; distance < blockDim.x; distance *= 2) {
    __syncthreads();
    const unsigned other = words[threadIdx.x ^ distance];
    __syncthreads();
    words[threadIdx.x] += other;
  }
  results[threadIdx.x] = words[threadIdx.x];
}

TEST_CASE("a block of 1024 threads meets at twenty barriers") {
  in_several_orders([] {
    std::vector<unsigned> results(1024);
    CHECK(run(many_barriers, 1, 1024, 4096, results.data()) == "");
    CHECK(results == std::vector<unsigned>(1024, 1023 * 1024 / 2));
  });
}

}  // namespace
