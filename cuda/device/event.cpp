#include "cuda/device/event.hpp"

#include "cuda/device/error.hpp"
#include "cuda/device/process.hpp"

namespace stratoperf::cuda {

// Without cudaEventBlockingSync: a thread that sleeps wakes up late.
Event::Event() {
  require_own_process();
  check(cudaEventCreateWithFlags(&event_, cudaEventDefault), "cudaEventCreateWithFlags");
}

Event::~Event() {
  if (in_own_process()) {
    static_cast<void>(cudaEventDestroy(event_));
  }
}

void Event::record(const Stream& stream) {
  check(cudaEventRecord(event_, stream.get()), "cudaEventRecord");
}

void Event::synchronize() const { check(cudaEventSynchronize(event_), "cudaEventSynchronize"); }

double Event::elapsed_ns(const Event& first, const Event& last) {
  last.synchronize();
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, first.event_, last.event_), "cudaEventElapsedTime");
  return static_cast<double>(milliseconds) * 1e6;
}

}  // namespace stratoperf::cuda
