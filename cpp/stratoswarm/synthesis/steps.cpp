#include "stratoswarm/synthesis/steps.hpp"

#include <utility>

namespace stratoperf::synthesis {

StepsOperation::StepsOperation(std::vector<std::unique_ptr<Step>> steps)
    : steps_(std::move(steps)), stop_([this] { return stop_requested(); }) {}

void StepsOperation::run(std::uint64_t n) {
  for (; n > 0; --n) {
    for (const std::unique_ptr<Step>& step : steps_) {
      if (stop_requested()) {
        return;
      }
      step->run(stop_);
    }
  }
}

}  // namespace stratoperf::synthesis
