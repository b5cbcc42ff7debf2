// What sources with kernels include: the runtime, the builtins, and launches.
#pragma once

#include <functional>
#include <tuple>
#include <utility>

#include "cuda_emulator/builtins.hpp"
#include "cuda_runtime_api.h"

namespace cuda_emulator {

// Queues a kernel whose every thread calls `body`.
cudaError_t enqueue_kernel(const cudaLaunchConfig_t& config, const void* kernel,
                           std::function<void()> body);

// Lets a kernel be launched with so much dynamic shared memory.
cudaError_t allow_shared(const void* kernel, int bytes);

// Loads a kernel, and tells of it.
cudaError_t attributes_of(cudaFuncAttributes* attributes, const void* kernel);

// How many blocks fit on a multiprocessor.
cudaError_t occupancy(int* blocks, int threads, std::size_t shared_bytes);

}  // namespace cuda_emulator

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  // Arguments are copied at the launch, as on the device.
  std::tuple<Parameters...> values(std::forward<Arguments>(arguments)...);
  return cuda_emulator::enqueue_kernel(
      *config, reinterpret_cast<const void*>(kernel),
      [kernel, values = std::move(values)] { std::apply(kernel, values); });
}

template <typename... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute attribute,
                                 int value) {
  static_cast<void>(attribute);
  return cuda_emulator::allow_shared(reinterpret_cast<const void*>(kernel), value);
}

template <typename... Parameters>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void (*kernel)(Parameters...)) {
  return cuda_emulator::attributes_of(attributes, reinterpret_cast<const void*>(kernel));
}

template <typename... Parameters>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks,
                                                          void (*kernel)(Parameters...),
                                                          int threads, std::size_t shared_bytes) {
  static_cast<void>(kernel);
  return cuda_emulator::occupancy(blocks, threads, shared_bytes);
}
