#include <cstring>

#include "cuda_runtime_api.h"
#include "machine.hpp"

using cuda_emulator::machine;

namespace {

// Facts of a device with the limits of a large one.
constexpr int kMajor = 9;
constexpr int kMinor = 0;

thread_local int current_device = 0;

bool exists(int device) {
  const std::lock_guard lock(machine().mutex);
  return device >= 0 && device < machine().device_count;
}

}  // namespace

cudaError_t cudaDriverGetVersion(int* version) {
  const std::lock_guard lock(machine().mutex);
  *version = machine().driver_version;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = cuda_emulator::kRuntimeVersion;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (const cudaError_t error = machine().enter_driver("cudaGetDeviceCount")) {
    return machine().result(error);
  }
  const std::lock_guard lock(machine().mutex);
  *count = machine().device_count;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  if (const cudaError_t error = machine().enter_driver("cudaGetDevice")) {
    return machine().result(error);
  }
  *device = current_device;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (const cudaError_t error = machine().enter_driver("cudaSetDevice")) {
    return machine().result(error);
  }
  if (!exists(device)) {
    return machine().result(cudaErrorInvalidDevice);
  }
  current_device = device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (const cudaError_t error = machine().enter_driver("cudaGetDeviceProperties")) {
    return machine().result(error);
  }
  if (!exists(device)) {
    return machine().result(cudaErrorInvalidDevice);
  }
  *properties = {};
  std::strncpy(properties->name, "emulated device", sizeof properties->name - 1);
  {
    const std::lock_guard lock(machine().mutex);
    properties->totalGlobalMem = machine().memory_bytes;
    properties->multiProcessorCount = machine().multiprocessors;
  }
  properties->sharedMemPerBlock = cuda_emulator::kSharedPerBlock;
  properties->sharedMemPerBlockOptin = cuda_emulator::kSharedOptIn;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = cuda_emulator::kMaxThreads;
  properties->l2CacheSize = 1 << 20;
  properties->major = kMajor;
  properties->minor = kMinor;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties = {};
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, device)) {
    return error;
  }
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = properties.maxThreadsPerBlock;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(properties.sharedMemPerBlock);
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(properties.sharedMemPerBlockOptin);
      return cudaSuccess;
    case cudaDevAttrWarpSize:
      *value = properties.warpSize;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = properties.multiProcessorCount;
      return cudaSuccess;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = cuda_emulator::kMaxThreadsPerMultiprocessor;
      return cudaSuccess;
    case cudaDevAttrL2CacheSize:
      *value = properties.l2CacheSize;
      return cudaSuccess;
    case cudaDevAttrClockRate:
      *value = 1'000'000;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = properties.major;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = properties.minor;
      return cudaSuccess;
  }
  return machine().result(cudaErrorInvalidValue);
}
