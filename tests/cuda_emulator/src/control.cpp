#include "cuda_emulator/control.hpp"

#include "machine.hpp"

namespace cuda_emulator {

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

void set_multiprocessors(int count) {
  const std::lock_guard lock(machine().mutex);
  machine().multiprocessors = count;
}

void set_order(Order order, std::uint64_t seed) {
  const std::lock_guard lock(machine().mutex);
  machine().order = order;
  machine().seed = seed;
}

void set_patience(std::uint64_t nanoseconds) {
  const std::lock_guard lock(machine().mutex);
  machine().patience_ns = nanoseconds;
}

void lose_device() { machine().lose(); }

void fail_next(const std::string& call, cudaError_t error) {
  const std::lock_guard lock(machine().mutex);
  machine().failures[call] = error;
}

void lose_kernel(unsigned after) { machine().kernels_until_loss = after; }

std::map<std::string, std::uint64_t> statistics() {
  Machine& all = machine();
  const std::lock_guard lock(all.mutex);
  return {
      {"live_allocations", all.allocations.size()},
      {"live_pinned", all.pinned.size()},
      {"live_registered", all.registered.size()},
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
