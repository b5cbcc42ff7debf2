// Type and child count of nodes as numbers of half a word each.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/stratoswarm/synthesis/cells.hpp"

namespace stratoperf::cuda::synthesis {

// Numbers the child counts that a table has. They fit: as many different ones as half a word has
// numbers need more children together than a table has nodes.
class Shapes {
 public:
  // Throws std::invalid_argument for a table of more types, or counts, than half a word has
  // numbers.
  explicit Shapes(const Nodes& nodes);

  std::uint32_t shape(std::uint32_t kind, std::uint32_t count) const {
    return shape_of(kind, numbers_[count]);
  }

  // How the first node of a pattern is compared; `goes_on` becomes kGoesOn.
  Key key(const stratoperf::synthesis::Fields& fields, std::uint32_t pattern, bool goes_on) const;

 private:
  std::vector<std::uint32_t> numbers_;  // of each count; kNoShapeNumber where no node has it
};

}  // namespace stratoperf::cuda::synthesis
