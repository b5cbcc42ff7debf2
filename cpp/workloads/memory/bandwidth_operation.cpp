#include "workloads/memory/bandwidth_operation.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>

#include "workloads/memory/memory_tier.hpp"

namespace stratoperf::memory {
namespace {

// What the bytes of a tier are before they are read or copied; any pattern that is not zero.
constexpr std::uint64_t kSeed = 0x5bd1e9955bd1e995;

std::span<std::uint64_t> words(const Tier& tier, const Extent& extent) {
  return {reinterpret_cast<std::uint64_t*>(tier.address() + extent.offset),
          static_cast<std::size_t>(extent.size / sizeof(std::uint64_t))};
}

}  // namespace

BandwidthOperation::BandwidthOperation(std::shared_ptr<Store> store, Access access,
                                       std::size_t from, std::size_t to, std::uint64_t size,
                                       const Tuning& tuning)
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
  store_->spend(*from_, size);
  fill(*from_, source_, kSeed);
}

BandwidthOperation::~BandwidthOperation() {
  from_->release(source_);
  if (to_ != nullptr) {
    to_->release(target_);
  }
}

void BandwidthOperation::run(std::uint64_t n) {
  const InUse use = store_->use();
  try {
    for (; n > 0 && !stop_requested(); --n) {
      once();
    }
  } catch (const Stopped&) {
    return;
  }
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

void BandwidthOperation::fill(Tier& tier, const Extent& extent, std::uint64_t seed) {
  const Mapping buffer = Mapping::reserve(std::min(extent.size, kMaxChunk));
  const auto content = std::span(reinterpret_cast<std::uint64_t*>(buffer.data()),
                                 static_cast<std::size_t>(buffer.size() / sizeof(std::uint64_t)));
  for (std::uint64_t at = 0; at < extent.size; at += buffer.size()) {
    for (std::uint64_t& word : content) {
      word = seed += kSeed;
    }
    const auto size = static_cast<std::size_t>(std::min(buffer.size(), extent.size - at));
    const std::array<iovec, 1> part = {iovec{buffer.data(), size}};
    tier.write(extent.offset + at, part);
  }
  tier.flush();
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

Verification BandwidthOperation::verify() {
  const InUse use = store_->use();
  if (rounds_ == 0) {
    return {};
  }
  if (to_ != nullptr) {
    const bool same = content(*from_, source_) == content(*to_, target_);
    return {1, same, same ? "" : "the bytes that arrived differ from those that were sent"};
  }
  if (access_ == Access::read) {
    std::uint64_t expected = 0;
    for (const std::uint64_t word : words(*from_, source_)) {
      expected += word;
    }
    const bool same = sum_ == expected;
    return {1, same, same ? "" : "the sum of what was read is wrong"};
  }
  const auto value = static_cast<std::byte>(rounds_ & 0xff);
  const std::span<const std::byte> filled(from_->address() + source_.offset,
                                          static_cast<std::size_t>(size_));
  const bool same =
      std::all_of(filled.begin(), filled.end(), [value](std::byte b) { return b == value; });
  return {1, same, same ? "" : "a byte does not hold what was written"};
}

}  // namespace stratoperf::memory
