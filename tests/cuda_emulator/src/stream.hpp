// Streams: queues of work, each with a thread of the host that runs it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "cuda_runtime_api.h"

namespace cuda_emulator {

using Work = std::function<void()>;

}  // namespace cuda_emulator

// A recorded graph: its work, in the order of the stream.
struct CUgraph_st {
  std::vector<cuda_emulator::Work> work;
  bool valid = true;  // not after a call that a capture does not allow
};
struct CUgraphExec_st {
  std::vector<cuda_emulator::Work> work;
};

struct CUstream_st {
 public:
  CUstream_st() = default;
  CUstream_st(const CUstream_st&) = delete;
  CUstream_st& operator=(const CUstream_st&) = delete;
  // Waits for the queued work.
  ~CUstream_st();

  // Queues work, or records it while the stream is capturing.
  void enqueue(cuda_emulator::Work work);
  void wait();
  bool idle();

  std::unique_ptr<CUgraph_st> capture;  // of the thread that captures

 private:
  void work_off();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<cuda_emulator::Work> queue_;
  bool busy_ = false;
  bool ending_ = false;
  std::thread worker_;  // started with the first work
};

namespace cuda_emulator {

// The stream that a null handle means.
CUstream_st& stream_of(cudaStream_t stream);

// For calls that a thread must not make while it captures a stream: whether it does, which then
// ends in an error.
bool spoils_capture();
// The stream goes away.
void forget_capture(cudaStream_t stream);

}  // namespace cuda_emulator
