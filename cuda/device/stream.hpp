// A queue of work on a device.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/device/device.hpp"

namespace stratoperf::cuda {

// Does not wait for the default stream. Destroying it waits for the work that is queued.
class Stream {
 public:
  explicit Stream(DeviceId device = {});
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  cudaStream_t get() const { return stream_; }
  DeviceId device() const { return device_; }

  // Waits for all queued work. Throws Error when any of it failed.
  void synchronize() const;

  // Whether all queued work is done. Throws Error when any of it failed.
  bool idle() const;

 private:
  DeviceId device_;
  cudaStream_t stream_ = nullptr;
};

}  // namespace stratoperf::cuda
