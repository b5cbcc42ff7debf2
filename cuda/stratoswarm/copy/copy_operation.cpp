#include "cuda/stratoswarm/copy/copy_operation.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "cuda/device/device.hpp"
#include "cuda/device/error.hpp"

namespace stratoperf::cuda::copy {
namespace {

// What the targets have together, as the sources have: twice the largest cache of a device or host
// that is likely to be met (126 MB on a B200).
constexpr std::size_t kFootprint = std::size_t{256} << 20;

// Of very small copies no more: what is to be set up and checked stays small, too.
constexpr std::size_t kMostTargets = 1024;

std::size_t require_bytes(std::size_t bytes) {
  if (bytes == 0 || bytes > kMaxBytes) {
    throw std::invalid_argument("size: expected 1 to " + std::to_string(kMaxBytes) +
                                " bytes, got " + std::to_string(bytes));
  }
  return bytes;
}

cudaMemcpyKind kind_of(const Copy& copy) {
  if (copy.from == Place::kDevice) {
    return copy.to == Place::kDevice ? cudaMemcpyDeviceToDevice : cudaMemcpyDeviceToHost;
  }
  if (copy.to != Place::kDevice) {
    throw std::invalid_argument("target: a copy from the host goes to the device; choose 'device'");
  }
  return cudaMemcpyHostToDevice;
}

}  // namespace

// Where one target is all, the copy is larger than any cache, and its two sources may overlap.
CopyOperation::CopyOperation(const Copy& copy)
    : copy_(copy),
      kind_(kind_of(copy)),
      target_step_((require_bytes(copy.bytes) + kPage - 1) / kPage * kPage),
      targets_(std::clamp(kFootprint / target_step_, std::size_t{1}, kMostTargets)),
      source_step_(targets_ == 1 ? kPage : target_step_),
      sources_(targets_ + 1),
      source_(copy.from, stream_.device(), (sources_ - 1) * source_step_ + copy.bytes),
      target_(copy.to, stream_.device(), (targets_ - 1) * target_step_ + copy.bytes) {
  const CurrentDevice current(stream_.device());
  source_.fill(copy.seed, stream_);
  target_.poison(stream_);
}

void CopyOperation::run(std::uint64_t n) {
  const CurrentDevice current(stream_.device());
  for (; n > 0 && !stop_requested(); --n) {
    enqueue();
    stream_.synchronize();
    ++done_;
  }
}

double CopyOperation::device_time(std::uint64_t n) {
  const CurrentDevice current(stream_.device());
  Event first;
  Event last;
  double sum = 0;
  for (; n > 0 && !stop_requested(); --n) {
    first.record(stream_);
    enqueue();
    last.record(stream_);
    sum += Event::elapsed_ns(first, last);
    ++done_;
  }
  return sum;
}

Verification CopyOperation::verify() {
  const CurrentDevice current(stream_.device());
  const std::uint64_t checked = std::min(done_, targets_);
  for (std::uint64_t number = done_ - checked; number < done_; ++number) {
    if (stop_requested()) {
      return {number - (done_ - checked), true, {}};
    }
    if (!target_.holds(target_of(number), copy_.bytes, copy_.seed, source_of(number), stream_)) {
      return {checked, false,
              "copy " + std::to_string(number) + " of " + std::to_string(copy_.bytes) +
                  " bytes: the target differs from the source"};
    }
  }
  return {checked, true, {}};
}

void CopyOperation::enqueue() {
  check(cudaMemcpyAsync(target_.data() + target_of(done_), source_.data() + source_of(done_),
                        copy_.bytes, kind_, stream_.get()),
        "cudaMemcpyAsync", copy_.bytes);
}

}  // namespace stratoperf::cuda::copy
