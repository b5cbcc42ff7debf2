#include "cuda/stratoswarm/consensus/round.hpp"

#include <algorithm>

#include "cuda/device/device.hpp"
#include "stratoswarm/consensus/requirements.hpp"

namespace stratoperf::cuda::consensus {
namespace {

Parameters checked(const Parameters& parameters) {
  stratoperf::consensus::require_round(parameters.settings.limits, parameters.settings.quorum,
                                       parameters.capacity);
  return parameters;
}

}  // namespace

Round::Round(const Parameters& parameters)
    : parameters_(checked(parameters)),
      engine_(parameters.settings, parameters.capacity, 1, Source::kPinned) {}

bool Round::decide(const Votes& votes, stratoperf::consensus::Outcome& outcome, const Stop& stop) {
  const stratoperf::consensus::Busy busy(busy_);
  stratoperf::consensus::require_batch(votes.count);
  const CurrentDevice current(engine_.device());
  if (!engine_.drain(stop)) {
    return false;
  }
  if (votes.count > engine_.slots().capacity()) {
    engine_.reserve(votes.count);
    chosen_.clear();
  }
  engine_.fill(0, votes);
  Mode mode = {};
  if (!choose_mode(votes.count, stop, mode) || !engine_.decide(0, votes.count, mode, stop)) {
    return false;
  }
  engine_.slots().read(0, outcome, engine_.stream());
  return true;
}

// The mode for the votes in the slot, calibrated once for all batches of the same plan.
bool Round::choose_mode(std::uint64_t count, const Stop& stop, Mode& mode) {
  if (parameters_.mode) {
    mode = *parameters_.mode;
    return true;
  }
  const Plan plan = engine_.plan(count);
  const auto known = std::ranges::find(chosen_, plan, &std::pair<Plan, Mode>::first);
  if (known != chosen_.end()) {
    mode = known->second;
    return true;
  }
  Calibration calibration;
  if (!calibrate(engine_, 0, count, stop, calibration)) {
    return false;
  }
  mode = calibration.fastest;
  chosen_.emplace_back(plan, mode);
  return true;
}

}  // namespace stratoperf::cuda::consensus
