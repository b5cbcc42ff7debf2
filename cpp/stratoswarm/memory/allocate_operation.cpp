#include "stratoswarm/memory/allocate_operation.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "stratoswarm/memory/fault_count.hpp"

namespace stratoperf::memory {
namespace {

// What is written to block i of an iteration; never zero, which new memory holds.
std::uint64_t word_of(std::uint64_t round, std::uint64_t i) { return (round << 32) + i + 1; }

}  // namespace

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

void AllocateOperation::prepare(std::uint64_t /*n*/) {
  count_faults();
  faults_before_ = faults_of_this_thread().minor;
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
        const std::uint64_t word = word_of(rounds_, i);
        std::memcpy(address + extents_.back().offset, &word, sizeof(word));
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
  extents_.swap(last_);
  extents_.clear();
  if (fresh_) {
    tier_.trim();
  }
}

// Each iteration that takes its pages from the system takes at least one fault for each.
void AllocateOperation::count_faults() {
  const std::uint64_t rounds = rounds_ - counted_rounds_;
  counted_rounds_ = rounds_;
  if (!fresh_ || tier_.address() == nullptr || rounds == 0) {
    return;
  }
  const std::uint64_t page = tier_.has_huge_pages() ? kHugePage : kPage;
  const std::uint64_t due = rounds * ((count_ * size_ + page - 1) / page);
  const std::uint64_t counted = faults_of_this_thread().minor - faults_before_;
  missing_faults_ += due - std::min(due, counted);
}

bool AllocateOperation::lie_apart() const {
  std::vector<Extent> sorted = last_;
  std::sort(sorted.begin(), sorted.end(),
            [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i - 1].end() > sorted[i].offset) {
      return false;
    }
  }
  return sorted.size() == count_ && sorted.back().end() <= tier_.capacity();
}

bool AllocateOperation::hold_their_words() const {
  for (std::uint64_t i = 0; tier_.address() != nullptr && i < count_; ++i) {
    const std::uint64_t expected = fresh_ ? 0 : word_of(rounds_ - 1, i);
    std::uint64_t word = 0;
    std::memcpy(&word, tier_.address() + last_[i].offset, sizeof(word));
    if (word != expected) {
      return false;
    }
  }
  return true;
}

Verification AllocateOperation::verify() {
  const InUse use = store_->use();
  count_faults();
  if (rounds_ == 0) {
    return {};
  }
  std::string message;
  if (!lie_apart()) {
    message = "blocks that were allocated at once overlap";
  } else if (!hold_their_words()) {
    message = fresh_ ? "room that was given back still holds what was written to it"
                     : "a block does not hold what was written to it";
  } else if (missing_faults_ > 0) {
    message = std::to_string(missing_faults_) + " pages were not taken from the system";
  }
  return {count_, message.empty(), message};
}

}  // namespace stratoperf::memory
