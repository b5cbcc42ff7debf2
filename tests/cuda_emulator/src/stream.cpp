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
  cuda_emulator::BlockRunner runner;
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
    work(runner);
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
  std::set<cudaStream_t> streams;
  {
    const std::lock_guard lock(machine().mutex);
    streams = machine().streams;
  }
  stream_of(nullptr).wait();
  for (const cudaStream_t stream : streams) {
    stream->wait();
  }
}

}  // namespace cuda_emulator

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  if (const cudaError_t error = machine().enter("cudaStreamCreateWithFlags")) {
    return machine().result(error);
  }
  *stream = new CUstream_st();
  const std::lock_guard lock(machine().mutex);
  machine().streams.insert(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  {
    const std::lock_guard lock(machine().mutex);
    if (machine().streams.erase(stream) == 0) {
      return cudaErrorInvalidResourceHandle;
    }
  }
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream_of(stream).capture != nullptr) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  stream_of(stream).wait();
  return machine().result(machine().enter("cudaStreamSynchronize"));
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const bool idle = stream_of(stream).idle();
  if (const cudaError_t error = machine().enter("cudaStreamQuery")) {
    return machine().result(error);
  }
  return idle ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize() {
  cuda_emulator::synchronize_all();
  return machine().result(machine().enter("cudaDeviceSynchronize"));
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode /*mode*/) {
  if (const cudaError_t error = machine().enter("cudaStreamBeginCapture")) {
    return machine().result(error);
  }
  if (stream == nullptr || stream->capture != nullptr) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  stream->capture = std::make_unique<CUgraph_st>();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (stream == nullptr || stream->capture == nullptr) {
    return machine().result(cudaErrorInvalidValue);
  }
  std::unique_ptr<CUgraph_st> recorded = std::move(stream->capture);
  if (const cudaError_t error = machine().enter("cudaStreamEndCapture")) {
    return machine().result(error);
  }
  *graph = recorded.release();
  const std::lock_guard lock(machine().mutex);
  ++machine().graphs;
  return cudaSuccess;
}
