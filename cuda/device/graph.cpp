#include "cuda/device/graph.hpp"

#include <memory>

#include "cuda/device/error.hpp"
#include "cuda/device/process.hpp"

namespace stratoperf::cuda {
namespace {

struct DestroyGraph {
  void operator()(cudaGraph_t graph) const { static_cast<void>(cudaGraphDestroy(graph)); }
};
using OwnedGraph = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, DestroyGraph>;

OwnedGraph end_capture(const Stream& stream) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(stream.get(), &graph), "cudaStreamEndCapture");
  return OwnedGraph(graph);
}

}  // namespace

Graph::Graph(const Stream& stream, const std::function<void()>& enqueue) {
  const CurrentDevice current(stream.device());
  check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal),
        "cudaStreamBeginCapture");
  try {
    enqueue();
  } catch (...) {
    // The stream must not stay in capture mode; what it recorded is of no use.
    cudaGraph_t abandoned = nullptr;
    if (cudaStreamEndCapture(stream.get(), &abandoned) == cudaSuccess) {
      const OwnedGraph owned(abandoned);
    }
    throw;
  }
  const OwnedGraph graph = end_capture(stream);
  check(cudaGraphInstantiate(&executable_, graph.get(), 0), "cudaGraphInstantiate");
}

Graph::~Graph() {
  if (in_own_process()) {
    static_cast<void>(cudaGraphExecDestroy(executable_));
  }
}

void Graph::launch(const Stream& stream) const {
  check(cudaGraphLaunch(executable_, stream.get()), "cudaGraphLaunch");
}

}  // namespace stratoperf::cuda
