#include "cuda/stratoswarm/consensus/round_operation.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "cuda/device/device.hpp"
#include "cuda/device/process.hpp"
#include "stratoswarm/consensus/requirements.hpp"

namespace stratoperf::cuda::consensus {
namespace {

std::uint64_t largest(const std::vector<Votes>& batches) {
  if (batches.empty()) {
    throw std::invalid_argument("batches: must not be empty; give at least one batch to rotate");
  }
  const std::uint64_t most = std::ranges::max(batches, {}, &Votes::count).count;
  stratoperf::consensus::require_batch(most);
  return most;
}

}  // namespace

Rotation::Rotation(const Settings& settings, const std::vector<Votes>& batches, Source source)
    : engine(settings, largest(batches), batches.size(), source),
      counts(batches.size()),
      decided(batches.size(), false) {
  const CurrentDevice current(engine.device());
  for (std::uint32_t slot = 0; slot < batches.size(); ++slot) {
    counts[slot] = batches[slot].count;
    engine.fill(slot, batches[slot]);
  }
}

RoundOperation::RoundOperation(std::shared_ptr<Rotation> rotation, std::optional<Mode> mode)
    : rotation_(std::move(rotation)), stop_([this] { return stop_requested(); }) {
  const CurrentDevice current(rotation_->engine.device());
  if (mode) {
    rotation_->mode = *mode;
  } else {
    Calibration& calibration = rotation_->calibration.emplace();
    calibrate(rotation_->engine, 0, rotation_->counts[0], stop_, calibration);
    rotation_->mode = calibration.fastest;
  }
}

RoundOperation::~RoundOperation() { rotation_->engine.rest(); }

// Calls decide(slot, count, mode) for one batch after another; it returns whether it was decided.
template <typename Decide>
void RoundOperation::rotate(std::uint64_t n, Decide&& decide) {
  Rotation& rotation = *rotation_;
  const CurrentDevice current(rotation.engine.device());
  for (; n > 0 && !stop_requested(); --n) {
    rotation.decided[next_] = false;
    rotation.decided[next_] = decide(next_, rotation.counts[next_], rotation.mode);
    next_ = next_ + 1 == rotation.counts.size() ? 0 : next_ + 1;
  }
}

void RoundOperation::run(std::uint64_t n) {
  rotate(n, [this](std::uint32_t slot, std::uint64_t count, Mode mode) {
    return rotation_->engine.decide(slot, count, mode, stop_);
  });
}

double RoundOperation::device_time(std::uint64_t n) {
  double sum = 0;
  rotate(n, [&](std::uint32_t slot, std::uint64_t count, Mode mode) {
    double device_ns = 0;
    const bool decided = rotation_->engine.decide_timed(slot, count, mode, stop_, device_ns);
    sum += device_ns;
    return decided;
  });
  return sum;
}

FillOperation::FillOperation(const Limits& limits, std::vector<Votes> batches)
    : batches_(std::move(batches)),
      slots_(stream_.device(), limits, largest(batches_), batches_.size(), Source::kPinned) {}

void FillOperation::run(std::uint64_t n) {
  require_own_process();
  for (; n > 0 && !stop_requested(); --n) {
    slots_.fill(next_, batches_[next_], stream_);
    filled_ = std::max(filled_, next_ + 1);
    next_ = next_ + 1 == batches_.size() ? 0 : next_ + 1;
  }
}

Verification FillOperation::verify() {
  for (std::uint32_t slot = 0; slot < filled_; ++slot) {
    if (!slots_.holds(slot, batches_[slot])) {
      return {slot, false, "batch " + std::to_string(slot) + ": the copy differs from the votes"};
    }
  }
  return {filled_, true, {}};
}

}  // namespace stratoperf::cuda::consensus
