#include "stratoswarm/consensus/round_operation.hpp"

#include <stdexcept>
#include <utility>

namespace stratoperf::consensus {

RoundOperation::RoundOperation(const Parameters& parameters, std::shared_ptr<Rotation> rotation)
    : round_(parameters),
      rotation_(std::move(rotation)),
      stop_([this] { return stop_requested(); }) {
  if (rotation_->slots.empty()) {
    throw std::invalid_argument("batches: must not be empty; give at least one batch to rotate");
  }
}

void RoundOperation::run(std::uint64_t n) {
  for (; n > 0 && !stop_requested(); --n) {
    Rotation::Slot& slot = rotation_->slots[next_];
    slot.decided = false;
    slot.decided = round_.decide(slot.votes, slot.outcome, stop_);
    next_ = next_ + 1 == rotation_->slots.size() ? 0 : next_ + 1;
  }
}

}  // namespace stratoperf::consensus
