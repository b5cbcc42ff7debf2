// What a round decides.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "stratoswarm/consensus/kernels.hpp"
#include "stratoswarm/consensus/rules.hpp"

namespace stratoperf::consensus {

// The equivocators of a round, in memory that is not touched before it is needed.
class EquivocatorList {
 public:
  // Makes room for `size` and a few more, which the loops may write past the end; the content is
  // undefined afterwards.
  void reserve(std::size_t size) {
    if (size > capacity_ || list_ == nullptr) {
      list_ = std::make_unique_for_overwrite<Equivocator[]>(size + kUnbranched);
      capacity_ = size;
    }
  }
  std::size_t capacity() const { return capacity_; }
  Equivocator* data() { return list_.get(); }
  void resize(std::size_t size) { size_ = size; }  // size <= what was reserved
  std::span<const Equivocator> all() const { return {list_.get(), size_}; }

 private:
  std::unique_ptr<Equivocator[]> list_;
  std::size_t capacity_ = 0;  // without the few more
  std::size_t size_ = 0;
};

// The outcome of one batch. An outcome that is written again keeps its memory.
struct Outcome {
  std::vector<std::int64_t> decided = {};   // [proposals], -1 where undecided
  std::vector<std::uint32_t> tallies = {};  // [proposals][values]
  EquivocatorList equivocators = {};        // in the order of (proposal, voter)
  std::uint64_t accepted = 0;               // votes that the tallies count
  std::array<std::uint64_t, kReasons> rejected = {};

  // The rows that hold anything else than zero votes: `touched` ones, or possibly all. They let a
  // small batch clear only what the batch before it wrote.
  std::vector<std::uint32_t> touched = {};
  bool all_touched = true;
};

}  // namespace stratoperf::consensus
