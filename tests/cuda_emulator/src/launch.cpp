#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "cuda_runtime.h"
#include "machine.hpp"
#include "stream.hpp"

namespace cuda_emulator {
namespace {

std::vector<unsigned> block_order(const Launch& launch) {
  std::vector<unsigned> order(std::size_t{launch.grid.x} * launch.grid.y * launch.grid.z);
  std::iota(order.begin(), order.end(), 0u);
  if (launch.order == Order::descending) {
    std::reverse(order.begin(), order.end());
  } else if (launch.order == Order::random) {
    std::mt19937_64 random(~launch.seed);
    std::shuffle(order.begin(), order.end(), random);
  }
  return order;
}

void run(const Launch& launch, BlockRunner& runner) {
  try {
    for (const unsigned number : block_order(launch)) {
      if (machine().lost()) {
        return;
      }
      const dim3& grid = launch.grid;
      runner.run(launch, {number % grid.x, number / grid.x % grid.y, number / (grid.x * grid.y)});
    }
  } catch (const DeviceLost&) {
    return;  // the calls of the host report it
  } catch (const std::exception& failure) {
    machine().fail(cudaErrorLaunchFailure, failure.what());
  }
}

}  // namespace

cudaError_t enqueue_kernel(const cudaLaunchConfig_t& config, std::function<void()> body) {
  if (const cudaError_t error = machine().enter("cudaLaunchKernelEx")) {
    return machine().result(error);
  }
  const std::uint64_t threads =
      std::uint64_t{config.blockDim.x} * config.blockDim.y * config.blockDim.z;
  const std::uint64_t blocks =
      std::uint64_t{config.gridDim.x} * config.gridDim.y * config.gridDim.z;
  if (threads == 0 || threads > kMaxThreads || blocks == 0) {
    return machine().result(cudaErrorInvalidConfiguration);
  }
  Launch launch;
  launch.grid = config.gridDim;
  launch.block = config.blockDim;
  launch.shared_bytes = config.dynamicSmemBytes;
  launch.body = std::move(body);
  stream_of(config.stream).enqueue([launch = std::move(launch)](BlockRunner& runner) {
    run(machine().configured(launch), runner);
  });
  return cudaSuccess;
}

cudaError_t allow_shared(const void* kernel, int bytes) {
  if (const cudaError_t error = machine().enter("cudaFuncSetAttribute")) {
    return machine().result(error);
  }
  if (bytes < 0 || static_cast<std::size_t>(bytes) > kSharedOptIn) {
    return machine().result(cudaErrorInvalidValue);
  }
  const std::lock_guard lock(machine().mutex);
  machine().shared_limits[kernel] = static_cast<std::size_t>(bytes);
  return cudaSuccess;
}

bool shared_allowed(const void* kernel, std::size_t bytes) {
  const std::lock_guard lock(machine().mutex);
  const auto found = machine().shared_limits.find(kernel);
  const std::size_t raised = found == machine().shared_limits.end() ? 0 : found->second;
  return bytes <= std::max(kSharedPerBlock, raised);
}

}  // namespace cuda_emulator
