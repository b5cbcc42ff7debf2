#include <memory>

#include "machine.hpp"
#include "stream.hpp"

using cuda_emulator::machine;

namespace cuda_emulator {
namespace {

thread_local cudaStream_t capturing = nullptr;  // by this thread of the host

}  // namespace

bool spoils_capture() {
  if (capturing != nullptr) {
    capturing->capture->valid = false;
  }
  return capturing != nullptr;
}

void forget_capture(cudaStream_t stream) {
  if (capturing == stream) {
    capturing = nullptr;
  }
}

}  // namespace cuda_emulator

using cuda_emulator::capturing;

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode /*mode*/) {
  if (const cudaError_t error = machine().enter("cudaStreamBeginCapture")) {
    return machine().result(error);
  }
  if (stream == nullptr || capturing != nullptr || stream->capture != nullptr) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  stream->capture = std::make_unique<CUgraph_st>();
  capturing = stream;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (stream == nullptr || stream != capturing) {
    return machine().result(cudaErrorInvalidValue);
  }
  capturing = nullptr;
  std::unique_ptr<CUgraph_st> recorded = std::move(stream->capture);
  if (const cudaError_t error = machine().enter("cudaStreamEndCapture")) {
    return machine().result(error);
  }
  if (!recorded->valid) {
    return machine().result(cudaErrorStreamCaptureInvalidated);
  }
  *graph = recorded.release();
  const std::lock_guard lock(machine().mutex);
  ++machine().graphs;
  return cudaSuccess;
}
