#include "cuda/stratoswarm/synthesis/shapes.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace stratoperf::cuda::synthesis {
namespace {

void require_below_limit(std::uint32_t number, const char* what) {
  if (number >= kNoShapeNumber) {
    throw std::invalid_argument("table: on a device its nodes can have " +
                                std::to_string(kNoShapeNumber) + " different " + what +
                                ", got more; use backend='cpu'");
  }
}

}  // namespace

Shapes::Shapes(const Nodes& nodes) {
  std::uint32_t most_children = 0;
  std::uint32_t last_kind = 0;
  for (std::uint32_t row = 0; row < nodes.size; ++row) {
    most_children = std::max(most_children, nodes.count[row]);
    last_kind = std::max(last_kind, nodes.kind[row]);
  }
  require_below_limit(last_kind, "types");
  numbers_.assign(std::size_t{most_children} + 1, kNoShapeNumber);
  for (std::uint32_t row = 0; row < nodes.size; ++row) {
    numbers_[nodes.count[row]] = 0;
  }
  std::uint32_t next = 0;
  for (std::uint32_t& number : numbers_) {
    if (number == 0) {
      require_below_limit(next, "child counts");
      number = next++;
    }
  }
}

Key Shapes::key(const stratoperf::synthesis::Fields& fields, std::uint32_t pattern,
                bool goes_on) const {
  Key key = {};
  if (fields.kind != kAny) {
    key.mask |= kKindMask;
    key.shape |= shape_of(std::min(fields.kind, kNoShapeNumber), 0);
  }
  if (fields.count != kAny) {
    key.mask |= kCountMask;
    key.shape |=
        shape_of(0, fields.count < numbers_.size() ? numbers_[fields.count] : kNoShapeNumber);
  }
  key.value = fields.value;
  key.pattern = pattern | (goes_on ? kGoesOn : 0);
  return key;
}

}  // namespace stratoperf::cuda::synthesis
