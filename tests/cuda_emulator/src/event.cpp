#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "cuda_emulator/block.hpp"
#include "machine.hpp"
#include "stream.hpp"

using cuda_emulator::machine;
using cuda_emulator::stream_of;

namespace cuda_emulator {
namespace {

// A moment in a stream. The work that records it may outlive the handle.
class Moment {
 public:
  // Announces a recording that a stream will reach, and returns its number.
  std::uint64_t announce() {
    const std::lock_guard lock(mutex_);
    return ++announced_;
  }

  void reach(std::uint64_t recording) {
    {
      const std::lock_guard lock(mutex_);
      if (recording > reached_) {
        reached_ = recording;
        time_ = nanoseconds();
      }
    }
    changed_.notify_all();
  }

  std::uint64_t announced() {
    const std::lock_guard lock(mutex_);
    return announced_;
  }

  // Waits for one recording, not for those that are announced meanwhile.
  void wait(std::uint64_t recording) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reached_ >= recording; });
  }

  // Success with the time of the last recording, or why there is none.
  cudaError_t read(std::uint64_t& time) {
    const std::lock_guard lock(mutex_);
    time = time_;
    return announced_ == 0          ? cudaErrorInvalidResourceHandle
           : reached_ == announced_ ? cudaSuccess
                                    : cudaErrorNotReady;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t announced_ = 0;
  std::uint64_t reached_ = 0;
  std::uint64_t time_ = 0;
};

}  // namespace
}  // namespace cuda_emulator

struct CUevent_st {
  std::shared_ptr<cuda_emulator::Moment> moment = std::make_shared<cuda_emulator::Moment>();
  bool timed = true;
};

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  if (const cudaError_t error = machine().enter("cudaEventCreateWithFlags")) {
    return machine().result(error);
  }
  *event = new CUevent_st{.timed = (flags & cudaEventDisableTiming) == 0};
  const std::lock_guard lock(machine().mutex);
  ++machine().events;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (event == nullptr) {
    return machine().result(cudaErrorInvalidResourceHandle);
  }
  delete event;
  const std::lock_guard lock(machine().mutex);
  --machine().events;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t error = machine().enter("cudaEventRecord")) {
    return machine().result(error);
  }
  if (stream_of(stream).capture != nullptr) {
    return machine().result(cudaErrorNotSupported);
  }
  stream_of(stream).enqueue([moment = event->moment, recording = event->moment->announce()] {
    moment->reach(recording);
  });
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (!machine().forked()) {
    event->moment->wait(event->moment->announced());
  }
  return machine().result(machine().enter("cudaEventSynchronize"));
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (const cudaError_t error = machine().enter("cudaEventQuery")) {
    return machine().result(error);
  }
  std::uint64_t time = 0;
  return event->moment->read(time) == cudaErrorNotReady ? cudaErrorNotReady : cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t first, cudaEvent_t last) {
  if (const cudaError_t error = machine().enter("cudaEventElapsedTime")) {
    return machine().result(error);
  }
  if (!first->timed || !last->timed) {
    return machine().result(cudaErrorInvalidResourceHandle);
  }
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  if (const cudaError_t error = first->moment->read(begin)) {
    return machine().result(error);
  }
  if (const cudaError_t error = last->moment->read(end)) {
    return machine().result(error);
  }
  // The events may be given in either order.
  const auto elapsed = static_cast<std::int64_t>(end - begin);
  *milliseconds = static_cast<float>(static_cast<double>(elapsed) / 1e6);
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned /*flags*/) {
  if (const cudaError_t error = machine().enter("cudaStreamWaitEvent")) {
    return machine().result(error);
  }
  if (stream_of(stream).capture != nullptr) {
    return machine().result(cudaErrorNotSupported);
  }
  stream_of(stream).enqueue([moment = event->moment, recording = event->moment->announced()] {
    moment->wait(recording);
  });
  return cudaSuccess;
}
