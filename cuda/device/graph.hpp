// Work that is recorded once and launched as a whole.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

#include "cuda/device/stream.hpp"

namespace stratoperf::cuda {

class Graph {
 public:
  // Records what `enqueue` puts into the stream, without running it, and makes it ready to launch.
  Graph(const Stream& stream, const std::function<void()>& enqueue);
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph();

  void launch(const Stream& stream) const;

 private:
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace stratoperf::cuda
