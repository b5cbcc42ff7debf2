// Matching as a step of an operation.
#pragma once

#include <memory>

#include "stratoswarm/synthesis/matcher.hpp"
#include "stratoswarm/synthesis/steps.hpp"

namespace stratoperf::synthesis {

// Compares all patterns with all nodes.
class MatchStep final : public Step {
 public:
  // Throws what Matcher throws.
  MatchStep(const Nodes& nodes, const Patterns& patterns, const MatchParameters& parameters,
            std::shared_ptr<Last<Hits>> last)
      : matcher_(nodes, patterns, parameters), last_(std::move(last)) {}

  void run(const Stop& stop) override {
    last_->complete = false;
    last_->complete = matcher_.match(last_->outcome, stop);
  }

 private:
  Matcher matcher_;
  std::shared_ptr<Last<Hits>> last_;
};

}  // namespace stratoperf::synthesis
