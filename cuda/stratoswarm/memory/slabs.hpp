// The parts that a tier's room is made of, as it grows.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "stratoswarm/memory/extents.hpp"

namespace stratoperf::cuda::memory {

// Parts of [0, end()), one behind the other, made and given back at the end only: what lies before
// a block that is in use stays. Tier calls `commit` with ever higher extents, and `discard` with
// any that no block uses.
template <typename Part>
class Slabs {
 public:
  std::uint64_t end() const { return slabs_.empty() ? 0 : slabs_.back().extent.end(); }

  // Makes parts up to the end of `extent`; `make(begin)` returns one with its size. When it throws
  // there are as many as before.
  template <typename Make>
  void commit(const stratoperf::memory::Extent& extent, Make&& make) {
    const std::size_t before = slabs_.size();
    try {
      while (end() < extent.end()) {
        const std::uint64_t begin = end();
        std::pair<Part, std::uint64_t> made = make(begin);
        slabs_.push_back({std::move(made.first), {begin, made.second}});
      }
    } catch (...) {
      while (slabs_.size() > before) {
        slabs_.pop_back();
      }
      throw;
    }
    committed_ = extent.end();
  }

  void discard(const stratoperf::memory::Extent& extent) {
    if (extent.end() < committed_) {
      return;
    }
    while (!slabs_.empty() && slabs_.back().extent.offset >= extent.offset) {
      slabs_.pop_back();
    }
    committed_ = extent.offset;
  }

  // The part that holds an offset, and where it lies.
  std::pair<const Part*, stratoperf::memory::Extent> at(std::uint64_t offset) const {
    std::size_t low = 0;
    std::size_t high = slabs_.size();
    while (high - low > 1) {
      const std::size_t middle = low + (high - low) / 2;
      (slabs_[middle].extent.offset <= offset ? low : high) = middle;
    }
    return {&slabs_.at(low).part, slabs_[low].extent};
  }

 private:
  struct Slab {
    Part part;
    stratoperf::memory::Extent extent = {};
  };

  std::vector<Slab> slabs_ = {};
  std::uint64_t committed_ = 0;  // the end of what the tier asked for
};

}  // namespace stratoperf::cuda::memory
