#include "core/device_times.hpp"

#include <chrono>
#include <cmath>

namespace stratoperf {

bool has_device_time(const stratoperf_operation& operation) {
  return operation.struct_size >= kSmallestOperation + sizeof(operation.device_time) &&
         operation.device_time != nullptr;
}

DeviceTimes device_times(stratoperf_operation& operation, std::uint64_t batch, std::size_t count,
                         double max_duration_s) {
  using SteadyClock = std::chrono::steady_clock;
  DeviceTimes times;
  times.samples_ns.reserve(count);
  const auto begin = SteadyClock::now();
  while (times.samples_ns.size() < count) {
    double nanoseconds = 0;
    const bool failed =
        (operation.prepare != nullptr && operation.prepare(operation.state, batch) != 0) ||
        operation.device_time(operation.state, batch, &nanoseconds) != 0;
    if (__atomic_load_n(&operation.stop, __ATOMIC_RELAXED) != 0) {
      times.interrupted = true;
      break;
    }
    if (failed) {
      times.error = operation.message != nullptr ? operation.message(operation.state)
                                                 : "the operation gave no reason";
      break;
    }
    if (!std::isfinite(nanoseconds) || nanoseconds < 0) {
      times.error = "device_time gave " + std::to_string(nanoseconds) +
                    " ns; a device is busy for a finite time of 0 or more";
      break;
    }
    times.samples_ns.push_back(nanoseconds / static_cast<double>(batch));
    if (std::chrono::duration<double>(SteadyClock::now() - begin).count() >= max_duration_s) {
      break;
    }
  }
  return times;
}

}  // namespace stratoperf
