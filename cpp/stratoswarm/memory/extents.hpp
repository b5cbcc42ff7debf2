// Which parts of a range are in use.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace stratoperf::memory {

struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t end() const { return offset + size; }
};

// Hands out parts of [0, capacity), the lowest that fits: what was used before is used again, so
// that its pages or its place on the disk are still there. Sizes are multiples of a page.
class Extents {
 public:
  explicit Extents(std::uint64_t capacity);

  std::uint64_t capacity() const { return capacity_; }
  std::uint64_t used() const { return used_; }

  // None when no gap is large enough.
  std::optional<Extent> allocate(std::uint64_t size);
  // A part of something allocated; it need not be returned in one piece.
  void release(const Extent& extent);
  // The unused parts, by offset.
  std::vector<Extent> gaps() const;

 private:
  std::uint64_t capacity_;
  std::uint64_t used_ = 0;
  std::map<std::uint64_t, std::uint64_t> free_ = {};  // size by offset; no two adjacent
};

}  // namespace stratoperf::memory
