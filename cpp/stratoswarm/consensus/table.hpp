// The cells of a round, all zero between rounds.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace stratoperf::consensus {

// Zeroed memory on a cache line boundary. Pages that are never touched cost nothing, so a round
// may have many more cells than its batches have votes.
class Table {
 public:
  // Makes room for `bytes`; what was there before is gone when it has to grow. Throws
  // std::bad_alloc.
  void reserve(std::size_t bytes) {
    if (bytes <= capacity_) {
      return;
    }
    memory_.reset();
    capacity_ = 0;
    // calloc, not aligned_alloc and memset: large blocks come from the kernel zeroed already.
    memory_.reset(std::calloc(bytes + kLine, 1));
    if (memory_ == nullptr) {
      throw std::bad_alloc();
    }
    capacity_ = bytes;
  }

  template <typename Word>
  Word* cells() const {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
    return reinterpret_cast<Word*>((address + kLine - 1) / kLine * kLine);
  }

 private:
  static constexpr std::size_t kLine = 64;

  struct Free {
    void operator()(void* pointer) const { std::free(pointer); }
  };

  std::unique_ptr<void, Free> memory_;
  std::size_t capacity_ = 0;
};

}  // namespace stratoperf::consensus
