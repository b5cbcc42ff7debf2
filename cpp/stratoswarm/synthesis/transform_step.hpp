// Rewriting as a step of an operation.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "stratoswarm/synthesis/matcher.hpp"
#include "stratoswarm/synthesis/steps.hpp"
#include "stratoswarm/synthesis/transform.hpp"

namespace stratoperf::synthesis {

// The replacement of a pattern in a table; arrays are not owned.
struct Rewrite {
  Nodes nodes = {};
  const std::uint32_t* parent = nullptr;
  Patterns patterns = {};  // one
  std::vector<Capture> captures = {};
  Template replacement = {};
  const std::uint8_t* allowed = nullptr;   // for each row: whether a hit there is replaced
  const std::uint32_t* layouts = nullptr;  // open_layouts for each such hit
  std::uint64_t hits = 0;                  // that there are layouts for
};

struct Rewritten {
  NewTable table = {};
  std::uint64_t comparisons = 0;  // evaluated to find the hits
};

// Finds the hits, then what the placeholders stand for, and makes the new table.
class TransformStep final : public Step {
 public:
  // Throws what Matcher throws.
  TransformStep(const Rewrite& rewrite, const MatchParameters& parameters,
                std::shared_ptr<Last<Rewritten>> last);

  // Throws std::runtime_error when the hits are not those that there are layouts for.
  void run(const Stop& stop) override;

 private:
  bool transform(const Stop& stop);

  Rewrite rewrite_;
  Matcher matcher_;
  Grafter grafter_;
  Hits hits_ = {};
  std::vector<std::uint32_t> rows_ = {};
  std::shared_ptr<Last<Rewritten>> last_;
};

}  // namespace stratoperf::synthesis
