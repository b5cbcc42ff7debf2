#include "cuda/device/error.hpp"

#include <cstdio>
#include <iterator>
#include <string_view>

namespace stratoperf::cuda {
namespace {

// Errors that mean that no device can be used, with what mends them where that is known.
const char* remedy(cudaError_t status) {
  switch (status) {
    case cudaErrorInsufficientDriver:
      return "update the NVIDIA driver";
    case cudaErrorNoKernelImageForDevice:
      return "install stratoperf with CUDAARCHS set to the compute capability of this device, such "
             "as 75";
    case cudaErrorDevicesUnavailable:
      return "another process may have it for itself; see nvidia-smi";
    case cudaErrorSystemNotReady:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
      return "see `stratoperf doctor` and nvidia-smi";
    case cudaErrorNoDevice:
      return "see nvidia-smi and the variable CUDA_VISIBLE_DEVICES";
    case cudaErrorInitializationError:
      return "see nvidia-smi";
    default:
      return nullptr;
  }
}

std::string with_unit(std::size_t bytes) {
  constexpr double kKibi = 1024;
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (amount >= kKibi && unit + 1 < std::size(units)) {
    amount /= kKibi;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.4g %s", amount, units[unit]);
  return text;
}

// " on device 0 (for 1.5 GiB)", as far as it is known.
std::string place(std::size_t bytes) {
  std::string text;
  int device = 0;
  if (cudaGetDevice(&device) == cudaSuccess) {
    text += " on device " + std::to_string(device);
  }
  if (bytes > 0) {
    text += " for " + with_unit(bytes);
  }
  return text;
}

// For a call that allocates on the device: how much is left there.
std::string free_memory(std::string_view call) {
  std::size_t free = 0;
  std::size_t total = 0;
  if (call != "cudaMalloc" || cudaMemGetInfo(&free, &total) != cudaSuccess) {
    return {};
  }
  return "; the device has " + with_unit(free) + " free of " + with_unit(total);
}

}  // namespace

std::string describe(cudaError_t status) {
  std::string text =
      std::string(cudaGetErrorString(status)) + " (" + cudaGetErrorName(status) + ")";
  if (const char* const mends = remedy(status)) {
    text += std::string("; ") + mends;
  }
  return text;
}

void check(cudaError_t status, const char* call, std::size_t bytes) {
  if (status == cudaSuccess) [[likely]] {
    return;
  }
  // Otherwise the runtime reports an error that does not last again at the next launch.
  static_cast<void>(cudaGetLastError());
  const std::string where = std::string(call) + place(bytes) + " failed: ";
  if (status == cudaErrorMemoryAllocation) {
    throw OutOfMemory(status, where + describe(status) + free_memory(call) +
                                  "; ask for less, or free what other work holds");
  }
  if (remedy(status) != nullptr) {
    throw Unavailable(status, where + describe(status));
  }
  throw Error(status, where + describe(status));
}

}  // namespace stratoperf::cuda
