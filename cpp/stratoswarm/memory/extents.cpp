#include "stratoswarm/memory/extents.hpp"

#include <iterator>

namespace stratoperf::memory {

Extents::Extents(std::uint64_t capacity) : capacity_(capacity) {
  if (capacity > 0) {
    free_.emplace(0, capacity);
  }
}

std::optional<Extent> Extents::allocate(std::uint64_t size) {
  for (auto gap = free_.begin(); gap != free_.end(); ++gap) {
    const auto [offset, room] = *gap;
    if (room < size) {
      continue;
    }
    const auto next = free_.erase(gap);
    if (room > size) {
      free_.emplace_hint(next, offset + size, room - size);
    }
    used_ += size;
    return Extent{offset, size};
  }
  return std::nullopt;
}

void Extents::release(const Extent& extent) {
  auto [offset, size] = extent;
  used_ -= size;
  auto next = free_.lower_bound(offset);
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == offset) {
      offset = before->first;
      size += before->second;
      free_.erase(before);
    }
  }
  if (next != free_.end() && offset + size == next->first) {
    size += next->second;
    next = free_.erase(next);
  }
  free_.emplace_hint(next, offset, size);
}

std::vector<Extent> Extents::gaps() const {
  std::vector<Extent> all;
  all.reserve(free_.size());
  for (const auto& [offset, size] : free_) {
    all.push_back({offset, size});
  }
  return all;
}

}  // namespace stratoperf::memory
