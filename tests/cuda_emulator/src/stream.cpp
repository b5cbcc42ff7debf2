#include "stream.hpp"

#include <utility>

#include "machine.hpp"

using cuda_emulator::machine;
using cuda_emulator::stream_of;
using cuda_emulator::Work;

CUstream_st::~CUstream_st() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (worker_.joinable()) {
    worker_.join();
  }
}

void CUstream_st::enqueue(Work work) {
  if (capture != nullptr) {
    capture->work.push_back(std::move(work));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    if (!worker_.joinable()) {
      worker_ = std::thread([this] { work_off(); });
    }
  }
  changed_.notify_all();
}

void CUstream_st::work_off() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) {
      return;
    }
    const Work work = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    work();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void CUstream_st::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return queue_.empty() && !busy_; });
}

bool CUstream_st::idle() {
  const std::lock_guard lock(mutex_);
  return queue_.empty() && !busy_;
}

namespace cuda_emulator {

CUstream_st& stream_of(cudaStream_t stream) {
  // Never destroyed, as the machine.
  static CUstream_st& legacy = *new CUstream_st();
  return stream != nullptr ? *stream : legacy;
}

void synchronize_all() {
  if (machine().forked()) {
    return;
  }
  std::vector<std::shared_ptr<CUstream_st>> streams;
  {
    const std::lock_guard lock(machine().mutex);
    for (const auto& [handle, stream] : machine().streams) {
      streams.push_back(stream);
    }
  }
  stream_of(nullptr).wait();
  for (const auto& stream : streams) {
    stream->wait();
  }
}

}  // namespace cuda_emulator

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (const cudaError_t error = machine().enter("cudaStreamCreateWithFlags")) {
    return machine().result(error);
  }
  if (flags != cudaStreamNonBlocking) {
    // The others wait for the null stream, and it for them, which nothing here does.
    return machine().result(cudaErrorNotSupported);
  }
  auto created = std::make_shared<CUstream_st>();
  *stream = created.get();
  const std::lock_guard lock(machine().mutex);
  machine().streams.emplace(*stream, std::move(created));
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (machine().forked()) {
    return machine().result(cudaErrorInitializationError);
  }
  std::shared_ptr<CUstream_st> last;  // waits for its work when nobody holds the mutex
  const std::lock_guard lock(machine().mutex);
  const auto found = machine().streams.find(stream);
  if (found == machine().streams.end()) {
    return machine().result(cudaErrorInvalidResourceHandle);
  }
  cuda_emulator::forget_capture(stream);
  last = std::move(found->second);
  machine().streams.erase(found);
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (machine().forked()) {
    return machine().result(cudaErrorInitializationError);
  }
  if (stream_of(stream).capture != nullptr) {
    stream->capture->valid = false;
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  stream_of(stream).wait();
  return machine().result(machine().enter("cudaStreamSynchronize"));
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const bool idle = machine().forked() || stream_of(stream).idle();
  if (const cudaError_t error = machine().enter("cudaStreamQuery")) {
    return machine().result(error);
  }
  return idle ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize() {
  if (cuda_emulator::spoils_capture()) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  cuda_emulator::synchronize_all();
  return machine().result(machine().enter("cudaDeviceSynchronize"));
}
