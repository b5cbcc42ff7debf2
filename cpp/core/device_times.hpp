// Device time of an operation, beside the host's time that the sampler takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "stratoperf/operation.h"

namespace stratoperf {

// The size of the structure before it could tell device times.
inline constexpr std::size_t kSmallestOperation = offsetof(stratoperf_operation, device_time);

// Whether the operation tells device times; false for one that was built against an older header.
bool has_device_time(const stratoperf_operation& operation);

struct DeviceTimes {
  std::vector<double> samples_ns;  // per iteration, in the order taken
  bool interrupted = false;        // by the stop token
  std::string error = {};          // the operation's message, when it failed
};

// Runs the operation `batch` iterations at a time until there are `count` samples or the time is
// over, with one sample at least. The sample that the stop token cut short is dropped; the token is
// not cleared. Only for operations with a device time.
DeviceTimes device_times(stratoperf_operation& operation, std::uint64_t batch, std::size_t count,
                         double max_duration_s);

}  // namespace stratoperf
