#include "stratoswarm/memory/bandwidth_operation.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <utility>

#include "stratoswarm/memory/memory_tier.hpp"

namespace stratoperf::memory {
namespace {

// Words that tell one run from the next are so many apart: as rare as costs nothing, and in every
// piece that a thread moves.
constexpr std::size_t kMarkStride = (std::size_t{256} << 10) / sizeof(std::uint64_t);

// What a word of a tier is before it is read or copied; any pattern that is not zero.
std::uint64_t word_at(std::uint64_t index) { return 0x5bd1e9955bd1e995 * (index + 1); }

std::span<std::uint64_t> words(const Tier& tier, const Extent& extent) {
  return {reinterpret_cast<std::uint64_t*>(tier.address() + extent.offset),
          static_cast<std::size_t>(extent.size / sizeof(std::uint64_t))};
}

}  // namespace

BandwidthOperation::BandwidthOperation(std::shared_ptr<Store> store, Access access,
                                       std::size_t from, std::size_t to, std::uint64_t size,
                                       const Tuning& tuning, const StopCheck& stop)
    : store_(std::move(store)), access_(access), size_(size), tuning_(tuning), stop_([this] {
        return stop_requested();
      }) {
  Tier& tier = store_->tier(from);
  if (access_ == Access::copy) {
    from_ = &tier;
    to_ = &store_->tier(to);
  } else if (tier.address() != nullptr) {
    from_ = &tier;
  } else {
    memory_ = std::make_unique<MemoryTier>("memory", size, Pages::base, std::nullopt);
    from_ = access_ == Access::read ? &tier : memory_.get();
    to_ = access_ == Access::read ? memory_.get() : &tier;
  }
  source_ = from_->allocate(size);
  if (to_ != nullptr) {
    try {
      target_ = to_->allocate(size);
    } catch (...) {
      from_->release(source_);
      throw;
    }
  }
  try {
    store_->spend(*from_, size);
    fill(stop);
  } catch (...) {
    release();
    throw;
  }
}

BandwidthOperation::~BandwidthOperation() { release(); }

void BandwidthOperation::release() {
  from_->release(source_);
  if (to_ != nullptr) {
    to_->release(target_);
  }
}

void BandwidthOperation::prepare(std::uint64_t /*n*/) {
  const InUse use = store_->use();
  check_last();
  mark();
}

// Changes what the next run has to change back, or to bring over.
void BandwidthOperation::mark() {
  if (to_ == nullptr && access_ == Access::write) {
    return;  // each round writes another value
  }
  Tier* const marked = to_ != nullptr && to_->address() != nullptr ? to_ : from_;
  if (marked->address() != nullptr) {
    const auto all = words(*marked, marked == to_ ? target_ : source_);
    for (std::size_t i = 0; i < all.size(); i += kMarkStride) {
      expected_ += marked == from_ ? 1 : 0;
      all[i] += 1;
    }
  } else {
    store_->spend(*to_, kClearedBytes);
    clear_ends(*to_, target_);
  }
}

void BandwidthOperation::run(std::uint64_t n) {
  const InUse use = store_->use();
  due_ = true;
  cut_short_ = false;
  try {
    for (; n > 0 && !stop_requested(); --n) {
      once();
    }
  } catch (const Stopped&) {
    cut_short_ = true;
  }
  cut_short_ = cut_short_ || n > 0;
}

void BandwidthOperation::once() {
  ++rounds_;
  if (to_ != nullptr) {
    store_->spend(*to_, size_);
    const Segment segment = {source_.offset, target_.offset, size_};
    transfer_.move(*from_, *to_, {&segment, 1}, tuning_, stop_);
    to_->flush();
  } else if (access_ == Access::read) {
    sum_ = sum(*from_, source_);
    wrong_ += sum_ == expected_ ? 0 : 1;
  } else {
    std::memset(from_->address() + source_.offset, static_cast<int>(rounds_ & 0xff),
                static_cast<std::size_t>(size_));
  }
}

// Several sums, so that loads need not wait for one addition after the other.
std::uint64_t BandwidthOperation::sum(const Tier& tier, const Extent& extent) const {
  constexpr std::size_t kSums = 32;
  std::array<std::uint64_t, kSums> sums = {};
  const std::span<const std::uint64_t> all = words(tier, extent);
  for (std::size_t at = 0; at < all.size(); at += kSums) {
    for (std::size_t i = 0; i < kSums; ++i) {
      sums[i] += all[at + i];
    }
  }
  std::uint64_t total = 0;
  for (const std::uint64_t one : sums) {
    total += one;
  }
  return total;
}

void BandwidthOperation::fill(const StopCheck& stop) {
  const Mapping buffer = Mapping::reserve(std::min(size_, kMaxChunk));
  const auto content = std::span(reinterpret_cast<std::uint64_t*>(buffer.data()),
                                 static_cast<std::size_t>(buffer.size() / sizeof(std::uint64_t)));
  std::uint64_t index = 0;
  for (std::uint64_t at = 0; at < size_; at += buffer.size()) {
    if (stop && stop()) {
      throw Stopped();
    }
    const auto size = static_cast<std::size_t>(std::min(buffer.size(), size_ - at));
    for (std::uint64_t& word : content.first(size / sizeof(std::uint64_t))) {
      word = word_at(index++);
      expected_ += word;
    }
    const std::array<iovec, 1> part = {iovec{buffer.data(), size}};
    from_->write(source_.offset + at, part);
  }
  from_->flush();
}

std::uint64_t BandwidthOperation::content(Tier& tier, const Extent& extent) {
  const Mapping buffer = Mapping::reserve(std::min(extent.size, kMaxChunk));
  Checksum checksum;
  for (std::uint64_t at = 0; at < extent.size; at += buffer.size()) {
    const auto size = static_cast<std::size_t>(std::min(buffer.size(), extent.size - at));
    const std::array<iovec, 1> part = {iovec{buffer.data(), size}};
    tier.read(extent.offset + at, part);
    checksum.add(buffer.bytes().first(size));
  }
  return checksum.value();
}

// Whether the words that were marked are what the last run had to make of them.
bool BandwidthOperation::arrived() const {
  const bool in_place = to_ == nullptr;
  const auto all = in_place ? words(*from_, source_) : words(*to_, target_);
  for (std::size_t i = 0; i < all.size(); i += kMarkStride) {
    const std::uint64_t expected =
        in_place ? (rounds_ & 0xff) * 0x0101010101010101 : word_at(static_cast<std::uint64_t>(i));
    if (all[i] != expected) {
      return false;
    }
  }
  return true;
}

void BandwidthOperation::check_last() {
  const bool in_place = to_ == nullptr;
  if (due_ && !cut_short_ && (in_place || to_->address() != nullptr)) {
    ++checked_;
    if (!in_place || access_ == Access::write) {
      wrong_ += arrived() ? 0 : 1;
    }
  }
  due_ = false;
}

// Whether every byte is where the last run had to leave it.
bool BandwidthOperation::moved_all() {
  if (to_ != nullptr) {
    return content(*from_, source_) == content(*to_, target_);
  }
  if (access_ == Access::read) {
    std::uint64_t expected = 0;
    for (const std::uint64_t word : words(*from_, source_)) {
      expected += word;
    }
    return sum_ == expected;
  }
  const auto value = static_cast<std::byte>(rounds_ & 0xff);
  const std::span<const std::byte> filled(from_->address() + source_.offset,
                                          static_cast<std::size_t>(size_));
  return std::all_of(filled.begin(), filled.end(), [value](std::byte b) { return b == value; });
}

Verification BandwidthOperation::verify() {
  const InUse use = store_->use();
  if (rounds_ == 0) {
    return {};
  }
  check_last();
  if (!cut_short_ && !moved_all()) {
    ++wrong_;
  }
  const std::uint64_t checked = std::max(checked_, std::uint64_t{cut_short_ ? 0U : 1U});
  if (wrong_ == 0) {
    return {checked, true};
  }
  const char* const what = to_ != nullptr            ? "bytes did not arrive as they were sent"
                           : access_ == Access::read ? "the sum of what was read is wrong"
                                                     : "a byte does not hold what was written";
  return {checked, false, std::string(what) + ", in " + std::to_string(wrong_) + " checks"};
}

}  // namespace stratoperf::memory
