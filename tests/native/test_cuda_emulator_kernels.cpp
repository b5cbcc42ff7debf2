// The emulator runs right kernels rightly, and finds the mistakes of wrong ones.
#include <doctest.h>

#include <array>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "cuda_emulator/control.hpp"
#include "cuda_runtime.h"

namespace {

using cuda_emulator::Order;

unsigned* shared_words() { return reinterpret_cast<unsigned*>(cuda_emulator::shared_memory()); }

// Runs a kernel to its end and returns what went wrong in it, empty when nothing did.
template <typename... Parameters, typename... Arguments>
std::string run(void (*kernel)(Parameters...), unsigned blocks, unsigned threads,
                std::size_t shared_bytes, Arguments... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(blocks);
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared_bytes;
  REQUIRE(cudaLaunchKernelEx(&config, kernel, arguments...) == cudaSuccess);
  const cudaError_t status = cudaDeviceSynchronize();
  const std::string failure = cuda_emulator::last_failure();
  CHECK((status == cudaErrorLaunchFailure) == !failure.empty());
  return failure;
}

// Calls `body` with the threads in several orders.
template <typename Body>
void in_several_orders(Body&& body) {
  cuda_emulator::reset();
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    cuda_emulator::set_order(seed == 0   ? Order::ascending
                             : seed == 1 ? Order::descending
                                         : Order::random,
                             seed);
    body();
  }
  cuda_emulator::reset();
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// --- right kernels

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

// --- planted mistakes

__global__ void without_a_barrier(unsigned* results) {
  shared_words()[threadIdx.x] = threadIdx.x;
  results[threadIdx.x] = shared_words()[(threadIdx.x + 1) % blockDim.x];
}

TEST_CASE("a missing barrier shows as results that change with the order") {
  std::set<std::vector<unsigned>> different;
  in_several_orders([&] {
    std::vector<unsigned> results(64);
    CHECK(run(without_a_barrier, 1, 64, 256, results.data()) == "");
    different.insert(results);
  });
  CHECK(different.size() > 1);
}

__global__ void barrier_of_a_part() {
  if (threadIdx.x < 40) {
    __syncthreads();
  }
}

TEST_CASE("a barrier that a part of the block never reaches is found") {
  in_several_orders([] {
    cuda_emulator::reset();
    const std::string failure = run(barrier_of_a_part, 1, 64, 0);
    CHECK(contains(failure, "barrier divergence: some threads have ended"));
    CHECK(contains(failure, "24 threads ended"));
    CHECK(contains(failure, "test_cuda_emulator_kernels.cpp"));
  });
}

__global__ void two_barriers() {
  if (threadIdx.x % 2 == 0) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

TEST_CASE("threads at different barriers are found") {
  cuda_emulator::reset();
  CHECK(contains(run(two_barriers, 1, 32, 0), "wait at different barriers"));
  cuda_emulator::reset();
}

__global__ void absent_lane(unsigned* results) {
  if (threadIdx.x != 7) {
    results[threadIdx.x] = __ballot_sync(0xffffffffu, 1);
  }
}

TEST_CASE("a collective whose lane never comes is found") {
  cuda_emulator::reset();
  std::vector<unsigned> results(32);
  CHECK(contains(run(absent_lane, 1, 32, 0, results.data()), "lane 7 of its mask has ended"));
  cuda_emulator::reset();
}

__global__ void lane_elsewhere(unsigned* results) {
  if (threadIdx.x == 7) {
    __syncthreads();
  }
  results[threadIdx.x] = __ballot_sync(0xffffffffu, 1);
  if (threadIdx.x != 7) {
    __syncthreads();
  }
}

TEST_CASE("a collective whose lane waits elsewhere is found") {
  cuda_emulator::reset();
  std::vector<unsigned> results(32);
  CHECK(contains(run(lane_elsewhere, 1, 32, 0, results.data()), "unfinished collective"));
  cuda_emulator::reset();
}

__global__ void foreign_mask() { __syncwarp(1u << (threadIdx.x + 1) % 32); }
__global__ void different_masks() { __syncwarp(threadIdx.x < 16 ? 0xffffffffu : 0xfffffff0u); }
__global__ void beyond_the_block() { __syncwarp(); }
__global__ void outside_of_the_mask(unsigned* results) {
  if (threadIdx.x < 16) {
    results[threadIdx.x] = __shfl_sync(0x0000ffffu, threadIdx.x, 20);
  }
}

TEST_CASE("wrong masks are found") {
  std::vector<unsigned> results(32);
  cuda_emulator::reset();
  CHECK(contains(run(foreign_mask, 1, 32, 0), "whose mask does not have it"));
  cuda_emulator::reset();
  CHECK(contains(run(different_masks, 1, 32, 0), "different masks"));
  cuda_emulator::reset();
  CHECK(contains(run(beyond_the_block, 1, 20, 0), "which the block does not have"));
  cuda_emulator::reset();
  CHECK(contains(run(outside_of_the_mask, 1, 32, 0, results.data()),
                 "shuffles from lane 20, which its mask does not have"));
  cuda_emulator::reset();
}

#if !defined(__SANITIZE_ADDRESS__)  // which ends the process there
__global__ void beyond_shared_memory() { shared_words()[16] = 1; }

TEST_CASE("writing past the end of shared memory is found") {
  cuda_emulator::reset();
  CHECK(contains(run(beyond_shared_memory, 1, 1, 64), "outside of the 64 bytes of shared memory"));
  cuda_emulator::reset();
}
#endif

__global__ void uninitialized(unsigned* results) { results[blockIdx.x] = shared_words()[0]; }

TEST_CASE("shared memory holds garbage, another one in every block") {
  cuda_emulator::reset();
  std::array<unsigned, 8> results = {};
  CHECK(run(uninitialized, 8, 1, 4, results.data()) == "");
  CHECK(std::set<unsigned>(results.begin(), results.end()).size() > 4);
}

TEST_CASE("after a mistake every call fails, until the machine is reset") {
  cuda_emulator::reset();
  run(two_barriers, 1, 32, 0);
  void* memory = nullptr;
  CHECK(cudaMalloc(&memory, 16) == cudaErrorLaunchFailure);
  CHECK(cudaGetLastError() == cudaErrorLaunchFailure);
  cuda_emulator::reset();
  CHECK(cudaMalloc(&memory, 16) == cudaSuccess);
  CHECK(cudaFree(memory) == cudaSuccess);
}

}  // namespace
