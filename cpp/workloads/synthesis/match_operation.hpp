// Matching as an operation for the sampler.
#pragma once

#include <memory>

#include "core/operation.hpp"
#include "workloads/synthesis/matcher.hpp"

namespace stratoperf::synthesis {

// What the timed loop found last. Shared with whoever checks it, who reads it only while the
// operation does not run.
struct LastMatch {
  Hits hits = {};
  bool complete = false;
};

// One iteration compares all patterns with all nodes.
class MatchOperation final : public Operation {
 public:
  MatchOperation(const Nodes& nodes, const Patterns& patterns, const MatchParameters& parameters,
                 std::shared_ptr<LastMatch> last);

  void run(std::uint64_t n) override;

 private:
  Matcher matcher_;
  std::shared_ptr<LastMatch> last_;
  Stop stop_;
};

}  // namespace stratoperf::synthesis
