// A moment in a stream, by the device's clock.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/device/stream.hpp"

namespace stratoperf::cuda {

class Event {
 public:
  Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event();

  void record(const Stream& stream);
  void synchronize() const;

  // Nanoseconds between two recorded events, for which it waits; a resolution of about 0.5 us.
  static double elapsed_ns(const Event& first, const Event& last);

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace stratoperf::cuda
