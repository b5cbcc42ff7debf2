#include "workloads/memory/allocate_operation.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace stratoperf::memory {

AllocateOperation::AllocateOperation(std::shared_ptr<Store> store, std::size_t tier,
                                     std::uint64_t size, std::size_t count, bool fresh)
    : store_(std::move(store)),
      tier_(store_->tier(tier)),
      size_(size),
      count_(count),
      fresh_(fresh) {
  if (count_ == 0 || size_ < kMinBlock || size_ > kMaxBlock || size_ % kPage != 0) {
    throw std::invalid_argument("size: expected at least one block of a multiple of 4096 bytes");
  }
  extents_.reserve(count_);
  allocate_all();  // tells now when there is no room
  release_all();
}

void AllocateOperation::run(std::uint64_t n) {
  const InUse use = store_->use();
  for (; n > 0 && !stop_requested(); --n) {
    allocate_all();
    release_all();
    ++rounds_;
  }
}

void AllocateOperation::allocate_all() {
  std::byte* const address = tier_.address();
  try {
    for (std::uint64_t i = 0; i < count_; ++i) {
      extents_.push_back(tier_.allocate(size_));
      if (address != nullptr) {
        std::memcpy(address + extents_.back().offset, &i, sizeof(i));
      }
    }
  } catch (...) {
    release_all();
    throw;
  }
}

void AllocateOperation::release_all() {
  for (const Extent& extent : extents_) {
    tier_.release(extent);
  }
  extents_.clear();
  if (fresh_) {
    tier_.trim();
  }
}

Verification AllocateOperation::verify() {
  const InUse use = store_->use();
  if (rounds_ == 0) {
    return {};
  }
  allocate_all();
  std::vector<Extent> sorted = extents_;
  std::sort(sorted.begin(), sorted.end(),
            [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
  bool apart = true;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    apart = apart && sorted[i - 1].end() <= sorted[i].offset;
  }
  bool kept = true;
  for (std::uint64_t i = 0; tier_.address() != nullptr && i < count_; ++i) {
    kept = kept && std::memcmp(tier_.address() + extents_[i].offset, &i, sizeof(i)) == 0;
  }
  release_all();
  const bool passed = apart && kept;
  return {count_, passed, passed ? "" : "two blocks that were allocated at once overlap"};
}

}  // namespace stratoperf::memory
