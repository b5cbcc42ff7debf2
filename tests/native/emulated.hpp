// What tests on the emulator share: launches of kernels, in several orders, leaks, and children.
#pragma once

#include <doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "cuda_emulator/control.hpp"
#include "cuda_runtime.h"
#include "repetitions.hpp"

namespace emulated {

using cuda_emulator::Order;

inline unsigned* shared_words() {
  return reinterpret_cast<unsigned*>(cuda_emulator::shared_memory());
}

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

// Calls `body` with the threads in several orders, each on a machine without failures.
template <typename Body>
void in_several_orders(Body&& body) {
  constexpr std::uint64_t kSeeds = repetitions::kFew ? 3 : 10;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    cuda_emulator::reset();
    cuda_emulator::set_order(seed == 0   ? Order::ascending
                             : seed == 1 ? Order::descending
                                         : Order::random,
                             seed);
    body();
  }
  cuda_emulator::reset();
}

// What is not freed.
inline std::uint64_t live() {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : cuda_emulator::statistics()) {
    sum += name.starts_with("live_") ? count : 0;
  }
  return sum;
}

// How often, in a forked child, one of the uses of CUDA is refused.
template <typename Refused, typename... Uses>
int refused_in_child(Uses&&... uses) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int refused = 0;
    const auto attempt = [&](auto& use) {
      try {
        use();
      } catch (const Refused&) {
        ++refused;
      }
    };
    (attempt(uses), ...);
    _exit(refused);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace emulated
