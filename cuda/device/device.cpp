#include "cuda/device/device.hpp"

#include <cuda_runtime_api.h>

#include <stdexcept>

#include "cuda/device/error.hpp"
#include "cuda/device/process.hpp"

namespace stratoperf::cuda {
namespace {

std::string version(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

// Why the runtime finds no usable driver.
std::string driver_problem() {
  int driver = 0;
  int runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    return "no NVIDIA driver is loaded, and CUDA needs one; see `stratoperf doctor`";
  }
  static_cast<void>(cudaRuntimeGetVersion(&runtime));
  return "the NVIDIA driver is too old: it knows CUDA " + version(driver) +
         ", this build needs CUDA " + version(runtime) + "; update the driver";
}

int attribute(cudaDeviceAttr name, DeviceId device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, name, device.value), "cudaDeviceGetAttribute");
  return value;
}

}  // namespace

std::string unavailable_reason() {
  try {
    require_own_process();
  } catch (const Unavailable& forked) {
    return forked.what();
  }
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaErrorInsufficientDriver) {
    static_cast<void>(cudaGetLastError());
    return driver_problem();
  }
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
    static_cast<void>(cudaGetLastError());
    return "no CUDA device; see nvidia-smi and the variable CUDA_VISIBLE_DEVICES";
  }
  if (status != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    return "CUDA does not start: " + describe(status);
  }
  return {};
}

int device_count() {
  const std::string reason = unavailable_reason();
  if (!reason.empty()) {
    throw Unavailable(cudaErrorNoDevice, reason);
  }
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  return count;
}

void require_device(DeviceId device) {
  const int count = device_count();
  if (device.value < 0 || device.value >= count) {
    throw std::invalid_argument("device: expected 0 to " + std::to_string(count - 1) + ", got " +
                                std::to_string(device.value));
  }
}

std::size_t free_memory(DeviceId device) {
  require_device(device);
  const CurrentDevice current(device);
  std::size_t free = 0;
  std::size_t total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return free;
}

DeviceFacts facts(DeviceId device) {
  require_device(device);
  cudaDeviceProp properties = {};
  check(cudaGetDeviceProperties(&properties, device.value), "cudaGetDeviceProperties");
  return {
      .name = properties.name,
      .memory_bytes = properties.totalGlobalMem,
      .shared_bytes_per_block =
          static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, device)),
      .multiprocessors = attribute(cudaDevAttrMultiProcessorCount, device),
      .major = attribute(cudaDevAttrComputeCapabilityMajor, device),
      .minor = attribute(cudaDevAttrComputeCapabilityMinor, device),
  };
}

CurrentDevice::CurrentDevice(DeviceId device) {
  require_own_process();
  check(cudaGetDevice(&previous_), "cudaGetDevice");
  check(cudaSetDevice(device.value), "cudaSetDevice");
}

CurrentDevice::~CurrentDevice() { static_cast<void>(cudaSetDevice(previous_)); }

}  // namespace stratoperf::cuda
