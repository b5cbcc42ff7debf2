// What the tests of the emulator share: launches of kernels, in several orders.
#pragma once

#include <doctest.h>

#include <cstdint>
#include <string>

#include "cuda_emulator/control.hpp"
#include "cuda_runtime.h"

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
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    cuda_emulator::reset();
    cuda_emulator::set_order(seed == 0   ? Order::ascending
                             : seed == 1 ? Order::descending
                                         : Order::random,
                             seed);
    body();
  }
  cuda_emulator::reset();
}

}  // namespace emulated
