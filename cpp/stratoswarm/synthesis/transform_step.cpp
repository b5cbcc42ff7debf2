#include "stratoswarm/synthesis/transform_step.hpp"

#include <stdexcept>
#include <utility>

namespace stratoperf::synthesis {

TransformStep::TransformStep(const Rewrite& rewrite, const MatchParameters& parameters,
                             std::shared_ptr<Last<Rewritten>> last)
    : rewrite_(rewrite),
      matcher_(rewrite.nodes, rewrite.patterns, parameters),
      grafter_(rewrite.nodes, rewrite.parent),
      last_(std::move(last)) {}

void TransformStep::run(const Stop& stop) {
  last_->complete = false;
  last_->complete = transform(stop);
}

bool TransformStep::transform(const Stop& stop) {
  if (!matcher_.match(hits_, stop)) {
    return false;
  }
  last_->outcome.comparisons = hits_.comparisons;
  rows_.clear();
  for (std::uint64_t hit = 0; hit < hits_.size(); ++hit) {
    const std::uint32_t row = hits_.rows.data()[hit];
    if (rewrite_.allowed[row] != 0) {
      rows_.push_back(row);
    }
  }
  if (rows_.size() != rewrite_.hits) {
    throw std::runtime_error("the table was changed: there are " + std::to_string(rows_.size()) +
                             " hits instead of " + std::to_string(rewrite_.hits));
  }
  const std::vector<Captured> captured =
      capture(rewrite_.nodes, rewrite_.patterns, rewrite_.captures, rows_.data(), rows_.size());
  return grafter_.graft(rewrite_.replacement, rows_.data(), rows_.size(), captured,
                        rewrite_.layouts, last_->outcome.table, stop);
}

}  // namespace stratoperf::synthesis
