// The devices of this machine, asked on demand.
#pragma once

#include <cstddef>
#include <string>

namespace stratoperf::cuda {

struct DeviceId {
  int value = 0;
};

// What kernels and their callers plan with.
struct DeviceFacts {
  std::string name = {};
  std::size_t memory_bytes = 0;
  std::size_t shared_bytes_per_block = 0;  // with the opt-in that CUDA asks for above 48 KiB
  int multiprocessors = 0;
  int major = 0;  // compute capability
  int minor = 0;
};

// Why no device can be used, in words that say what mends it; empty when one can. Creates no
// context, so it is cheap; the first use of a device can still fail.
std::string unavailable_reason();

// Throws Unavailable as `unavailable_reason` says, std::invalid_argument for a device that is not
// there.
DeviceFacts facts(DeviceId device);

// The devices that there are. Throws Unavailable as `unavailable_reason` says.
int device_count();

// Throws as `facts` does where there is no such device.
void require_device(DeviceId device);

// Bytes of memory that are free on a device now. Creates a context. Throws as `facts` does.
std::size_t free_memory(DeviceId device);

// Makes a device current in this thread until the end of the scope.
class CurrentDevice {
 public:
  explicit CurrentDevice(DeviceId device);
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;
  ~CurrentDevice();

 private:
  int previous_ = 0;
};

}  // namespace stratoperf::cuda
