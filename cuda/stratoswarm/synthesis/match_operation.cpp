#include "cuda/stratoswarm/synthesis/match_operation.hpp"

#include <utility>

namespace stratoperf::cuda::synthesis {

MatchOperation::MatchOperation(std::shared_ptr<LastMatch> last)
    : last_(std::move(last)), stop_([this] { return stop_requested(); }) {}

void MatchOperation::run(std::uint64_t n) {
  for (; n > 0 && !stop_requested(); --n) {
    last_->complete = false;
    last_->complete = last_->matcher.match(stop_);
  }
}

double MatchOperation::device_time(std::uint64_t n) {
  double sum = 0;
  for (; n > 0 && !stop_requested(); --n) {
    double device_ns = 0;
    last_->complete = false;
    last_->complete = last_->matcher.match_timed(stop_, device_ns);
    sum += device_ns;
  }
  return sum;
}

}  // namespace stratoperf::cuda::synthesis
