// The emulator finds the mistakes that are planted here.
#include <doctest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "emulated.hpp"
#include "repetitions.hpp"

namespace {

using emulated::in_several_orders;
using emulated::run;
using emulated::shared_words;

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// The results that a kernel gives in several orders, none of which it may find fault with.
template <typename Kernel>
std::set<std::vector<unsigned>> different_results(Kernel kernel, unsigned threads) {
  std::set<std::vector<unsigned>> different;
  in_several_orders([&] {
    std::vector<unsigned> results(threads);
    CHECK(run(kernel, 1, threads, threads * sizeof(unsigned), results.data()) == "");
    different.insert(results);
  });
  return different;
}

// So that what changes is not the garbage that shared memory begins with.
__device__ void clear_shared_words() {
  shared_words()[threadIdx.x] = 0;
  __syncthreads();
}

__global__ void without_a_barrier(unsigned* results) {
  clear_shared_words();
  shared_words()[threadIdx.x] = threadIdx.x + 1;
  results[threadIdx.x] = shared_words()[(threadIdx.x + 1) % blockDim.x];
}

TEST_CASE("a missing barrier shows as results that change with the order") {
  CHECK(different_results(without_a_barrier, 64).size() > 1);
}

__global__ void warps_in_step(unsigned* results) {
  clear_shared_words();
  shared_words()[threadIdx.x] = threadIdx.x + 1;
  __syncwarp();
  results[threadIdx.x] = shared_words()[(threadIdx.x + 32) % blockDim.x];
}

TEST_CASE("a barrier of a warp where the block needs one shows as results that change") {
  // More than one for each direction: warps also run ahead of each other by parts of their way.
  const std::size_t least = repetitions::kFew ? 1 : 3;
  CHECK(different_results(warps_in_step, 128).size() > least);
}

__global__ void lanes_in_step(unsigned* results) {
  clear_shared_words();
  shared_words()[threadIdx.x] = threadIdx.x + 1;
  __syncwarp(threadIdx.x < 16 ? 0x0000ffffu : 0xffff0000u);
  results[threadIdx.x] = shared_words()[(threadIdx.x + 16) % 32];
}

TEST_CASE("a barrier of half a warp where the warp needs one shows as results that change") {
  CHECK(different_results(lanes_in_step, 32).size() > 1);
}

__global__ void second_barrier_missing(unsigned* results) {
  unsigned* const words = shared_words();
  words[threadIdx.x] = threadIdx.x;
  __syncthreads();
  const unsigned next = words[(threadIdx.x + 1) % blockDim.x];
  words[threadIdx.x] = 1000 + next;  // others may not have read it yet
  results[threadIdx.x] = next;
}

TEST_CASE("writing again without a barrier after reading shows as results that change") {
  CHECK(different_results(second_barrier_missing, 64).size() > 1);
}

__global__ void barrier_of_a_part() {
  if (threadIdx.x < 40) {
    __syncthreads();
  }
}

TEST_CASE("a barrier that a part of the block never reaches is found") {
  in_several_orders([] {
    const std::string failure = run(barrier_of_a_part, 1, 64, 0);
    CHECK(contains(failure, "block (0, 0, 0) of 64 threads"));
    CHECK(contains(failure, "barrier divergence: some threads have ended"));
    CHECK(contains(failure, "24 threads ended"));
    CHECK(contains(failure, "test_cuda_emulator_mistakes.cpp"));
    CHECK(contains(failure, "barrier_of_a_part"));
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
  CHECK(contains(run(beyond_the_block, 1, 20, 0),
                 "lane 20 of its mask is one which the block does not have"));
  cuda_emulator::reset();
  CHECK(contains(run(outside_of_the_mask, 1, 32, 0, results.data()),
                 "shuffles from lane 20, which its mask does not have"));
  cuda_emulator::reset();
}

__global__ void beyond_shared_memory(int word) { shared_words()[word] = 1; }

#if defined(__SANITIZE_ADDRESS__)
__global__ void reads_beyond(unsigned* results) { results[0] = shared_words()[16]; }

// It ends the process: CMakeLists.txt runs them one by one, and looks for what it says.
TEST_CASE("AddressSanitizer sees a write beyond shared memory" * doctest::skip()) {
  run(beyond_shared_memory, 1, 1, 64, 16);
}
TEST_CASE("AddressSanitizer sees a read beyond shared memory" * doctest::skip()) {
  unsigned result = 0;
  run(reads_beyond, 1, 1, 64, &result);
}
#else
TEST_CASE("writing beside shared memory is found") {
  for (const int word : {-256, -1, 16, 17, 200}) {
    cuda_emulator::reset();
    CHECK(contains(run(beyond_shared_memory, 1, 1, 64, word),
                   "outside of the 64 bytes of shared memory"));
  }
  cuda_emulator::reset();
  CHECK(run(beyond_shared_memory, 1, 1, 64, 15) == "");
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

__global__ void different_collectives(unsigned* results) {
  results[threadIdx.x] =
      threadIdx.x < 16 ? __ballot_sync(0xffffffffu, 1) : __reduce_add_sync(0xffffffffu, 1u);
}

TEST_CASE("lanes at different collectives are found") {
  std::vector<unsigned> results(32);
  in_several_orders([&] {
    const std::string failure = run(different_collectives, 1, 32, 0, results.data());
    CHECK(contains(failure, "unfinished collective"));
    CHECK(contains(failure, "is elsewhere"));
    CHECK(contains(failure, "16 threads at the collective"));
  });
}

__global__ void wait_for_the_next_block(unsigned* flags) {
  __atomic_store_n(&flags[blockIdx.x], 1, __ATOMIC_RELAXED);
  while (__atomic_load_n(&flags[(blockIdx.x + 1) % gridDim.x], __ATOMIC_RELAXED) == 0) {
    __nanosleep(100);
  }
}

TEST_CASE("a block that waits for another is found when patience ends") {
  cuda_emulator::reset();
  cuda_emulator::set_patience(20'000'000);
  std::array<unsigned, 2> flags = {};
  CHECK(contains(run(wait_for_the_next_block, 2, 1, 0, flags.data()),
                 "polled in vain for 20 ms; a block must not wait for another"));
  cuda_emulator::reset();
}

struct Counted {
  explicit Counted(int* alive) : alive_(alive) { atomicAdd(alive_, 1); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { atomicAdd(alive_, -1); }
  int* alive_;
};

__global__ void leaves_objects(int* alive, int* most) {
  const Counted counted(alive);
  atomicMax(most, *alive);
  if (threadIdx.x != 100) {
    __syncthreads();
  }
}

TEST_CASE("what a failed block had on its stacks is destroyed") {
  in_several_orders([] {
    int alive = 0;
    int most = 0;
    CHECK(contains(run(leaves_objects, 1, 128, 0, &alive, &most), "barrier divergence"));
    CHECK(most >= 127);
    CHECK(alive == 0);
  });
}

__global__ void deep_in_the_grid() {
  if (blockIdx.x == 2 && blockIdx.y == 1) {
    __syncwarp(2u);
  }
}

TEST_CASE("a failure names its block, in every order of the blocks") {
  in_several_orders([] {
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(3, 2);
    CHECK(cudaLaunchKernelEx(&config, deep_in_the_grid) == cudaSuccess);
    CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
    CHECK(contains(cuda_emulator::last_failure(), "block (2, 1, 0) of 1 threads: lane 0 calls"));
  });
}

}  // namespace
