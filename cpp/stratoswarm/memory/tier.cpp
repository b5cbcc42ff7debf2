#include "stratoswarm/memory/tier.hpp"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

namespace stratoperf::memory {

std::string reason_of(int error) { return std::generic_category().message(error); }

Tier::Tier(std::string name, std::uint64_t capacity)
    : name_(std::move(name)), extents_(capacity / kPage * kPage) {}

Extent Tier::allocate(std::uint64_t size) {
  const std::optional<Extent> extent = extents_.allocate(size);
  if (!extent) {
    throw TierError(name_ + " has no room for " + std::to_string(size) +
                    " bytes: " + std::to_string(used()) + " of " + std::to_string(capacity()) +
                    " bytes are used; free blocks, or allow a larger share of what is free");
  }
  if (extent->end() > committed_) {
    const std::uint64_t start = std::max(extent->offset, committed_);
    try {
      commit({start, extent->end() - start});
    } catch (...) {
      extents_.release(*extent);
      throw;
    }
    committed_ = extent->end();
  }
  return *extent;
}

void Tier::trim() {
  for (Extent gap : extents_.gaps()) {
    if (gap.offset >= committed_) {
      break;
    }
    const std::uint64_t end = std::min(gap.end(), committed_);
    discard({gap.offset, end - gap.offset});
    if (end == committed_) {
      committed_ = gap.offset;
    }
  }
}

}  // namespace stratoperf::memory
