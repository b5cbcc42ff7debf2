#include "machine.hpp"

#include <pthread.h>

#include <utility>

namespace cuda_emulator {
namespace {

thread_local cudaError_t last_error = cudaSuccess;

}  // namespace

Machine& machine() {
  static Machine& only = *new Machine();
  return only;
}

// A fork must not leave the child with a mutex that a thread of its parent holds.
Machine::Machine() {
  pthread_atfork([] { machine().mutex.lock(); }, [] { machine().mutex.unlock(); },
                 [] {
                   machine().mutex.unlock();
                   machine().forked_ = machine().used_.load();
                 });
}

void Machine::reset() {
  synchronize_all();
  const std::lock_guard lock(mutex);
  device_count = 1;
  driver_version = kRuntimeVersion;
  memory_bytes = kDefaultMemory;
  multiprocessors = kDefaultMultiprocessors;
  memory_peak = memory_used;
  shared_limits.clear();
  loaded.clear();
  kernels = 0;
  order = Order::ascending;
  seed = 0;
  patience_ns = kDefaultPatience;
  failures.clear();
  failure.clear();
  kernels_until_loss = kNoLoss;
  lost_ = false;
  sticky_ = cudaSuccess;
  last_error = cudaSuccess;
}

cudaError_t Machine::enter_driver(const char* call) {
  const std::lock_guard lock(mutex);
  if (const auto wanted = failures.find(call); wanted != failures.end()) {
    const cudaError_t error = wanted->second;
    failures.erase(wanted);
    return error;
  }
  if (forked_) {
    return cudaErrorInitializationError;
  }
  if (driver_version / 1000 < kRuntimeVersion / 1000) {
    return cudaErrorInsufficientDriver;
  }
  if (device_count == 0) {
    return cudaErrorNoDevice;
  }
  used_ = true;
  return cudaSuccess;
}

cudaError_t Machine::enter(const char* call) {
  const cudaError_t error = enter_driver(call);
  return error != cudaSuccess ? error : sticky_.load();
}

cudaError_t Machine::result(cudaError_t error) {
  if (error != cudaSuccess) {
    last_error = error;
  }
  return error;
}

void Machine::lose() {
  sticky_ = cudaErrorLaunchFailure;
  lost_ = true;
}

void Machine::fail(cudaError_t error, const std::string& message) {
  const std::lock_guard lock(mutex);
  if (failure.empty()) {
    failure = message;
  }
  sticky_ = error;
}

Launch Machine::configured(Launch launch) {
  const std::lock_guard lock(mutex);
  launch.order = order;
  // Every launch in an order of its own, the same in every run.
  launch.seed = seed + kernels++;
  launch.patience_ns = patience_ns;
  return launch;
}

}  // namespace cuda_emulator

cudaError_t cudaGetLastError() { return std::exchange(cuda_emulator::last_error, cudaSuccess); }

cudaError_t cudaPeekAtLastError() { return cuda_emulator::last_error; }
