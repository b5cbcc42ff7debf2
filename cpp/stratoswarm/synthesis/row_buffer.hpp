// Rows that are written before they are read: memory that is not cleared.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace stratoperf::synthesis {

class RowBuffer {
 public:
  // Makes room for `capacity` rows and keeps those there are. Throws std::bad_alloc.
  void reserve(std::uint64_t capacity) {
    if (capacity <= capacity_) {
      return;
    }
    const std::uint64_t grown = std::max(capacity, capacity_ + capacity_ / 2);
    void* const memory = std::realloc(rows_.get(), grown * sizeof(std::uint32_t));
    if (memory == nullptr) {
      throw std::bad_alloc();
    }
    static_cast<void>(rows_.release());  // realloc took it
    rows_.reset(static_cast<std::uint32_t*>(memory));
    capacity_ = grown;
  }

  std::uint32_t* data() const { return rows_.get(); }

 private:
  struct Free {
    void operator()(std::uint32_t* pointer) const { std::free(pointer); }
  };

  std::unique_ptr<std::uint32_t, Free> rows_;
  std::uint64_t capacity_ = 0;
};

}  // namespace stratoperf::synthesis
