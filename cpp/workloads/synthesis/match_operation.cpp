#include "workloads/synthesis/match_operation.hpp"

#include <utility>

namespace stratoperf::synthesis {

MatchOperation::MatchOperation(const Nodes& nodes, const Patterns& patterns,
                               const MatchParameters& parameters, std::shared_ptr<LastMatch> last)
    : matcher_(nodes, patterns, parameters),
      last_(std::move(last)),
      stop_([this] { return stop_requested(); }) {}

void MatchOperation::run(std::uint64_t n) {
  for (; n > 0 && !stop_requested(); --n) {
    last_->complete = false;
    last_->complete = matcher_.match(last_->hits, stop_);
  }
}

}  // namespace stratoperf::synthesis
