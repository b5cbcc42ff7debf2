#include "cuda/device/memory.hpp"

#include <cuda_runtime_api.h>

#include <cstring>

#include "cuda/device/error.hpp"
#include "cuda/device/process.hpp"

namespace stratoperf::cuda {

DeviceMemory::DeviceMemory(DeviceId device, std::size_t bytes) {
  const CurrentDevice current(device);
  check(cudaMalloc(&data_, bytes), "cudaMalloc", bytes);
  bytes_ = bytes;
}

DeviceMemory::~DeviceMemory() {
  if (data_ != nullptr && in_own_process()) {
    static_cast<void>(cudaFree(data_));
  }
}

void DeviceMemory::clear(const Stream& stream, std::size_t bytes) const {
  check(cudaMemsetAsync(data_, 0, bytes, stream.get()), "cudaMemsetAsync", bytes);
}

PinnedMemory::PinnedMemory(DeviceId device, std::size_t bytes) {
  const CurrentDevice current(device);
  check(cudaHostAlloc(&host_, bytes, cudaHostAllocMapped | cudaHostAllocPortable), "cudaHostAlloc",
        bytes);
  bytes_ = bytes;
  std::memset(host_, 0, bytes);
  const cudaError_t status = cudaHostGetDevicePointer(&device_, host_, 0);
  if (status != cudaSuccess) {
    static_cast<void>(cudaFreeHost(host_));
    check(status, "cudaHostGetDevicePointer", bytes);
  }
}

PinnedMemory::~PinnedMemory() {
  if (host_ != nullptr && in_own_process()) {
    static_cast<void>(cudaFreeHost(host_));
  }
}

RegisteredMemory::RegisteredMemory(DeviceId device, void* data, std::size_t bytes) {
  const CurrentDevice current(device);
  check(cudaHostRegister(data, bytes, cudaHostRegisterPortable), "cudaHostRegister", bytes);
  data_ = data;
}

RegisteredMemory::~RegisteredMemory() {
  if (data_ != nullptr && in_own_process()) {
    static_cast<void>(cudaHostUnregister(data_));
  }
}

}  // namespace stratoperf::cuda
