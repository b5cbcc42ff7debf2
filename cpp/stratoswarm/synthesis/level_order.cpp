#include "stratoswarm/synthesis/level_order.hpp"

namespace stratoperf::synthesis {

std::int64_t Layouts::id(const Layout& layout, bool add) {
  // Nearly all layouts have few entries below 256: they are told apart by one word.
  std::uint64_t word = layout.size();
  std::uint32_t all = 0;
  for (const std::uint32_t entry : layout) {
    word = word << 8 | (entry & 0xff);
    all |= entry;
  }
  const auto next = static_cast<std::uint32_t>(all_.size());
  if (layout.size() < 8 && all < 256) {
    const auto known = short_.find(word);
    if (known != short_.end()) {
      return known->second;
    }
    if (add) {
      short_.emplace(word, next);
    }
  } else {
    const std::string key(reinterpret_cast<const char*>(layout.data()),
                          layout.size() * sizeof(std::uint32_t));
    const auto known = long_.find(key);
    if (known != long_.end()) {
      return known->second;
    }
    if (add) {
      long_.emplace(key, next);
    }
  }
  if (!add) {
    return -1;
  }
  all_.push_back(layout);
  return next;
}

}  // namespace stratoperf::synthesis
