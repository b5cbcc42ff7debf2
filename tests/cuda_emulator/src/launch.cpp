#include <algorithm>
#include <numeric>
#include <span>
#include <utility>
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
    Generator(~launch.seed).shuffle(std::span(order));
  }
  return order;
}

// Borrows threads for blocks: there are as many as kernels ever ran at once.
class Borrowed {
 public:
  Borrowed() {
    const std::lock_guard lock(idle().mutex);
    if (!idle().runners.empty()) {
      runner_ = std::move(idle().runners.back());
      idle().runners.pop_back();
    } else {
      runner_ = std::make_unique<BlockRunner>();
    }
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() {
    const std::lock_guard lock(idle().mutex);
    idle().runners.push_back(std::move(runner_));
  }
  BlockRunner& operator*() const { return *runner_; }

 private:
  struct Idle {
    std::mutex mutex;
    std::vector<std::unique_ptr<BlockRunner>> runners;
  };
  // Never destroyed, as the machine.
  static Idle& idle() {
    static Idle& only = *new Idle();
    return only;
  }

  std::unique_ptr<BlockRunner> runner_;
};

void run(const Launch& launch) {
  if (machine().kernels_until_loss.fetch_sub(1) == 0) {
    return;
  }
  const Borrowed runner;
  try {
    for (const unsigned number : block_order(launch)) {
      if (machine().lost()) {
        return;
      }
      const dim3& grid = launch.grid;
      (*runner).run(launch,
                    {number % grid.x, number / grid.x % grid.y, number / (grid.x * grid.y)});
    }
  } catch (const DeviceLost&) {
    return;  // the calls of the host report it
  } catch (const std::exception& failure) {
    machine().fail(cudaErrorLaunchFailure, failure.what());
  }
}

// The limits of every device since compute capability 3.0.
bool possible(const dim3& grid, const dim3& block) {
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  const std::uint64_t blocks = std::uint64_t{grid.x} * grid.y * grid.z;
  return threads > 0 && threads <= kMaxThreads && block.z <= 64 && blocks > 0 &&
         grid.x <= 0x7fffffffu && grid.y <= 0xffffu && grid.z <= 0xffffu;
}

bool shared_allowed(const void* kernel, std::size_t bytes) {
  const std::lock_guard lock(machine().mutex);
  const auto found = machine().shared_limits.find(kernel);
  const std::size_t raised = found == machine().shared_limits.end() ? 0 : found->second;
  return bytes <= std::max(kSharedPerBlock, raised);
}

// Loads a kernel that is launched for the first time. Drivers before CUDA 12.3 cannot while the
// stream is captured, for which the launch then spoils the capture.
bool loaded(const void* kernel, CUstream_st& stream) {
  const std::lock_guard lock(machine().mutex);
  if (stream.capture == nullptr) {
    machine().loaded.insert(kernel);
  }
  return machine().loaded.contains(kernel) || !spoils_capture();
}

}  // namespace

cudaError_t enqueue_kernel(const cudaLaunchConfig_t& config, const void* kernel,
                           std::function<void()> body) {
  if (const cudaError_t error = machine().enter("cudaLaunchKernelEx")) {
    return machine().result(error);
  }
  if (config.numAttrs != 0) {
    return machine().result(cudaErrorNotSupported);
  }
  if (!possible(config.gridDim, config.blockDim)) {
    return machine().result(cudaErrorInvalidConfiguration);
  }
  if (!shared_allowed(kernel, config.dynamicSmemBytes)) {
    return machine().result(cudaErrorInvalidValue);
  }
  if (!loaded(kernel, stream_of(config.stream))) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  Launch launch;
  launch.grid = config.gridDim;
  launch.block = config.blockDim;
  launch.shared_bytes = config.dynamicSmemBytes;
  launch.body = std::move(body);
  stream_of(config.stream).enqueue([launch = std::move(launch)] {
    run(machine().configured(launch));
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

cudaError_t attributes_of(cudaFuncAttributes* attributes, const void* kernel) {
  if (const cudaError_t error = machine().enter("cudaFuncGetAttributes")) {
    return machine().result(error);
  }
  if (spoils_capture()) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  *attributes = {kMaxThreads};
  const std::lock_guard lock(machine().mutex);
  machine().loaded.insert(kernel);
  return cudaSuccess;
}

cudaError_t occupancy(int* blocks, int threads, std::size_t shared_bytes) {
  if (const cudaError_t error =
          machine().enter_driver("cudaOccupancyMaxActiveBlocksPerMultiprocessor")) {
    return machine().result(error);
  }
  if (threads <= 0 || threads > kMaxThreads) {
    return machine().result(cudaErrorInvalidValue);
  }
  const int whole_warps = (threads + 31) / 32 * 32;
  const auto by_shared = static_cast<int>(
      std::min<std::size_t>(kSharedOptIn / std::max<std::size_t>(shared_bytes, 1), 1024));
  *blocks = std::min(
      {kMaxBlocksPerMultiprocessor, kMaxThreadsPerMultiprocessor / whole_warps, by_shared});
  return cudaSuccess;
}

}  // namespace cuda_emulator
