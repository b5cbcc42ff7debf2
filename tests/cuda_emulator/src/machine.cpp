#include "machine.hpp"

#include <utility>

namespace cuda_emulator {
namespace {

thread_local cudaError_t last_error = cudaSuccess;

}  // namespace

Machine& machine() {
  static Machine& only = *new Machine();
  return only;
}

void Machine::reset() {
  synchronize_all();
  const std::lock_guard lock(mutex);
  device_count = 1;
  driver_version = kRuntimeVersion;
  memory_bytes = kDefaultMemory;
  memory_peak = memory_used;
  shared_limits.clear();
  kernels = 0;
  order = Order::ascending;
  seed = 0;
  failures.clear();
  failure.clear();
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
  if (driver_version / 1000 < kRuntimeVersion / 1000) {
    return cudaErrorInsufficientDriver;
  }
  return device_count == 0 ? cudaErrorNoDevice : cudaSuccess;
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
  return launch;
}

void reset() { machine().reset(); }

void set_device_count(int count) {
  const std::lock_guard lock(machine().mutex);
  machine().device_count = count;
}

void set_driver_version(int version) {
  const std::lock_guard lock(machine().mutex);
  machine().driver_version = version;
}

void set_memory(std::size_t bytes) {
  const std::lock_guard lock(machine().mutex);
  machine().memory_bytes = bytes;
}

void set_order(Order order, std::uint64_t seed) {
  const std::lock_guard lock(machine().mutex);
  machine().order = order;
  machine().seed = seed;
}

void lose_device() { machine().lose(); }

void fail_next(const std::string& call, cudaError_t error) {
  const std::lock_guard lock(machine().mutex);
  machine().failures[call] = error;
}

std::map<std::string, std::uint64_t> statistics() {
  Machine& all = machine();
  const std::lock_guard lock(all.mutex);
  return {
      {"live_allocations", all.allocations.size()},
      {"live_pinned", all.pinned.size()},
      {"live_streams", all.streams.size()},
      {"live_events", all.events},
      {"live_graphs", all.graphs},
      {"memory", all.memory_used},
      {"peak_memory", all.memory_peak},
      {"kernels", all.kernels},
  };
}

std::string last_failure() {
  const std::lock_guard lock(machine().mutex);
  return machine().failure;
}

}  // namespace cuda_emulator

using cuda_emulator::machine;

cudaError_t cudaGetLastError() { return std::exchange(cuda_emulator::last_error, cudaSuccess); }

cudaError_t cudaPeekAtLastError() { return cuda_emulator::last_error; }
