#include "machine.hpp"
#include "stream.hpp"

using cuda_emulator::machine;
using cuda_emulator::stream_of;

namespace {

void count_graphs(int change) {
  const std::lock_guard lock(machine().mutex);
  machine().graphs += static_cast<std::uint64_t>(change);
}

}  // namespace

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long /*flags*/) {
  if (const cudaError_t error = machine().enter("cudaGraphInstantiate")) {
    return machine().result(error);
  }
  *executable = new CUgraphExec_st{graph->work};
  count_graphs(1);
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t /*executable*/, cudaStream_t /*stream*/) {
  return machine().result(machine().enter("cudaGraphUpload"));
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (const cudaError_t error = machine().enter("cudaGraphLaunch")) {
    return machine().result(error);
  }
  stream_of(stream).enqueue([work = executable->work] {
    for (const auto& step : work) {
      step();
    }
  });
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  if (executable != nullptr) {
    delete executable;
    count_graphs(-1);
  }
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  if (graph != nullptr) {
    delete graph;
    count_graphs(-1);
  }
  return cudaSuccess;
}
