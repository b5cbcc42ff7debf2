#include "cuda/stratoswarm/integer_rate/rate_operation.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "cuda/device/error.hpp"
#include "cuda/stratoswarm/integer_rate/kernels.hpp"

namespace stratoperf::cuda::integer_rate {
namespace {

// Of so many threads each: with 16 independent steps a thread, enough to keep all lanes at work.
constexpr unsigned kBlocksPerMultiprocessor = 4;

// Over a millisecond of work, in which a device that was idle raises its clock.
constexpr int kTries = 16;

std::uint32_t require_keys(std::uint32_t keys) {
  if (keys == 0) {
    throw std::invalid_argument("keys: must be at least 1, got 0");
  }
  return keys;
}

}  // namespace

RateOperation::RateOperation(std::uint32_t keys, DeviceId device)
    : keys_(require_keys(keys)),
      blocks_(kBlocksPerMultiprocessor * static_cast<unsigned>(facts(device).multiprocessors)),
      stream_(device),
      counted_(device, sizeof(std::uint64_t)) {
  const CurrentDevice current(device);
  counted_.clear(stream_);
  stream_.synchronize();
}

void RateOperation::run(std::uint64_t n) {
  const CurrentDevice current(stream_.device());
  for (; n > 0 && !stop_requested(); --n) {
    launch_count(keys_, counted_.data<std::uint64_t>(), blocks_, stream_);
    stream_.synchronize();
    ++done_;
  }
}

double RateOperation::device_time(std::uint64_t n) {
  const CurrentDevice current(stream_.device());
  Event first;
  Event last;
  double sum = 0;
  for (; n > 0 && !stop_requested(); --n) {
    first.record(stream_);
    launch_count(keys_, counted_.data<std::uint64_t>(), blocks_, stream_);
    last.record(stream_);
    sum += Event::elapsed_ns(first, last);
    ++done_;
  }
  return sum;
}

Verification RateOperation::verify() {
  const CurrentDevice current(stream_.device());
  std::uint64_t counted = 0;
  check(cudaMemcpyAsync(&counted, counted_.data(), sizeof counted, cudaMemcpyDeviceToHost,
                        stream_.get()),
        "cudaMemcpyAsync from the device", sizeof counted);
  stream_.synchronize();
  const std::uint64_t expected = done_ * words();
  if (counted == expected) {
    return {done_, true, {}};
  }
  return {done_, false,
          "the device counted " + std::to_string(counted) + " words, there are " +
              std::to_string(expected)};
}

std::uint64_t RateOperation::words() const {
  return std::uint64_t{blocks_} * kThreads * kThreadWords;
}

double steps_per_second(DeviceId device) {
  RateOperation operation(kKeys, device);
  double best_ns = operation.device_time(1);
  for (int i = 1; i < kTries; ++i) {
    best_ns = std::min(best_ns, operation.device_time(1));
  }
  if (const Verification checked = operation.verify(); !checked.passed) {
    throw Error(cudaErrorUnknown, "integer_rate: " + checked.message +
                                      ", so its rate is unknown; run compute-sanitizer");
  }
  return static_cast<double>(operation.steps()) / best_ns * 1e9;
}

}  // namespace stratoperf::cuda::integer_rate
