// Launching kernels; included by files that define kernels.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <utility>

#include "cuda/device/error.hpp"
#include "cuda/device/stream.hpp"

namespace stratoperf::cuda {

struct Grid {
  unsigned blocks = 1;
  unsigned threads = 1;          // of a block
  std::size_t shared_bytes = 0;  // dynamic shared memory of a block
};

// Queues a kernel. `name` is what an error calls it.
template <typename... Parameters, typename... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), const Grid& grid, const Stream& stream,
            Arguments&&... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(grid.blocks);
  config.blockDim = dim3(grid.threads);
  config.dynamicSmemBytes = grid.shared_bytes;
  config.stream = stream.get();
  check(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...), name,
        grid.shared_bytes);
}

// Loads a kernel, which CUDA puts off until its first use otherwise. To be done before a kernel is
// recorded: drivers before CUDA 12.3 cannot load one while they record.
template <typename... Parameters>
void load(const char* name, void (*kernel)(Parameters...)) {
  cudaFuncAttributes attributes = {};
  check(cudaFuncGetAttributes(&attributes, kernel), name);
}

// Lets a kernel be launched with so much dynamic shared memory; above 48 KiB CUDA asks for this.
template <typename... Parameters>
void allow_shared_memory(const char* name, void (*kernel)(Parameters...), std::size_t bytes) {
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(bytes)),
        name, bytes);
}

}  // namespace stratoperf::cuda
