#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "cuda_emulator/block.hpp"
#include "machine.hpp"
#include "stream.hpp"

using cuda_emulator::BlockRunner;
using cuda_emulator::machine;
using cuda_emulator::stream_of;

// A moment in a stream. The work that records it may outlive the handle.
struct Moment {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t wanted = 0;  // recordings that were queued
  std::uint64_t done = 0;    // and those that the stream has reached
  std::uint64_t time = 0;

  void wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return done == wanted; });
  }
};

struct CUevent_st {
  std::shared_ptr<Moment> moment = std::make_shared<Moment>();
};

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned /*flags*/) {
  if (const cudaError_t error = machine().enter("cudaEventCreateWithFlags")) {
    return machine().result(error);
  }
  *event = new CUevent_st();
  const std::lock_guard lock(machine().mutex);
  ++machine().events;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
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
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  const std::shared_ptr<Moment> moment = event->moment;
  {
    const std::lock_guard lock(moment->mutex);
    ++moment->wanted;
  }
  stream_of(stream).enqueue([moment](BlockRunner&) {
    {
      const std::lock_guard lock(moment->mutex);
      moment->time = cuda_emulator::nanoseconds();
      ++moment->done;
    }
    moment->changed.notify_all();
  });
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  event->moment->wait();
  return machine().result(machine().enter("cudaEventSynchronize"));
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (const cudaError_t error = machine().enter("cudaEventQuery")) {
    return machine().result(error);
  }
  const std::lock_guard lock(event->moment->mutex);
  return event->moment->done == event->moment->wanted ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t first, cudaEvent_t last) {
  if (const cudaError_t error = machine().enter("cudaEventElapsedTime")) {
    return machine().result(error);
  }
  const auto time = [](cudaEvent_t event, std::uint64_t& when) {
    const std::lock_guard lock(event->moment->mutex);
    when = event->moment->time;
    return event->moment->wanted > 0 && event->moment->done == event->moment->wanted;
  };
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  if (!time(first, begin) || !time(last, end)) {
    return machine().result(cudaErrorNotReady);
  }
  *milliseconds = static_cast<float>(static_cast<double>(end - begin) / 1e6);
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned /*flags*/) {
  if (const cudaError_t error = machine().enter("cudaStreamWaitEvent")) {
    return machine().result(error);
  }
  stream_of(stream).enqueue([moment = event->moment](BlockRunner&) { moment->wait(); });
  return cudaSuccess;
}
