// The state of the emulated machine that all calls share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "block_run.hpp"
#include "cuda_emulator/control.hpp"

namespace cuda_emulator {

inline constexpr std::size_t kDefaultMemory = std::size_t{1} << 30;
inline constexpr std::size_t kSharedPerBlock = 48 * 1024;
inline constexpr std::size_t kSharedOptIn = 227 * 1024;
inline constexpr int kDefaultMultiprocessors = 4;  // blocks run one by one: few are fast
inline constexpr int kMaxThreads = 1024;
inline constexpr int kMaxThreadsPerMultiprocessor = 2048;
inline constexpr int kMaxBlocksPerMultiprocessor = 32;
inline constexpr int kRuntimeVersion = CUDART_VERSION;
// Far beyond the silence after which a kernel that serves the host ends itself, even on a machine
// that is busy and under a sanitizer.
inline constexpr std::uint64_t kDefaultPatience = 60'000'000'000;
// Counted down by every kernel: never reached.
inline constexpr std::int64_t kNoLoss = -1;

using Blocks = std::map<const void*, std::size_t>;  // of memory: where they begin, and their bytes

class Machine {
 public:
  Machine();
  void reset();

  // Whether a call may go on: not where there is no driver or device, the device is lost, a kernel
  // failed, a test wants this call to fail, or CUDA was used before a fork.
  cudaError_t enter(const char* call);
  // Like `enter`, for calls that need a driver but no device that works.
  cudaError_t enter_driver(const char* call);

  // Remembers the error for cudaGetLastError, and returns it.
  cudaError_t result(cudaError_t error);

  bool lost() const { return lost_.load(std::memory_order_relaxed); }
  void lose();
  // A kernel went wrong: the device gives nothing but errors from now on.
  void fail(cudaError_t error, const std::string& message);

  // Whether this process is the child of one that used CUDA. The threads of its streams are not
  // there, so nothing may wait for them.
  bool forked() const { return forked_; }

  Launch configured(Launch launch);  // as the tests want it

  std::mutex mutex;
  // Under the mutex.
  int device_count = 1;
  int driver_version = kRuntimeVersion;
  std::size_t memory_bytes = kDefaultMemory;
  int multiprocessors = kDefaultMultiprocessors;
  std::size_t memory_used = 0;
  std::size_t memory_peak = 0;
  Blocks allocations;            // on the device
  Blocks pinned;                 // on the host
  Blocks registered;             // of the host, page-locked later
  Blocks shared_limits;          // of kernels that asked for more
  std::set<const void*> loaded;  // kernels
  std::map<cudaStream_t, std::shared_ptr<CUstream_st>> streams;
  std::uint64_t events = 0;
  std::uint64_t graphs = 0;
  std::uint64_t kernels = 0;
  Order order = Order::ascending;
  std::uint64_t seed = 0;
  std::uint64_t patience_ns = kDefaultPatience;
  std::map<std::string, cudaError_t> failures;  // of the next calls, by name
  std::string failure;                          // of a kernel
  std::atomic<std::int64_t> kernels_until_loss = kNoLoss;

 private:
  std::atomic<bool> lost_ = false;
  std::atomic<cudaError_t> sticky_ = cudaSuccess;
  std::atomic<bool> used_ = false;
  std::atomic<bool> forked_ = false;
};

// Never destroyed: work may still run when the process ends.
Machine& machine();

// Waits until every stream is idle.
void synchronize_all();

}  // namespace cuda_emulator
