#include "stratoswarm/memory/store.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>
#include <string>
#include <thread>

namespace stratoperf::memory {
namespace {

constexpr std::uint64_t kBounce = std::uint64_t{1} << 20;

void check_size(std::uint64_t size) {
  if (size < kMinBlock || size > kMaxBlock || size % kPage != 0) {
    throw std::invalid_argument("size: expected a multiple of " + std::to_string(kPage) +
                                " bytes from " + std::to_string(kMinBlock) + " to " +
                                std::to_string(kMaxBlock) + ", got " + std::to_string(size));
  }
}

void throw_if_stopped(const StopCheck& stop) {
  if (stop && stop()) {
    throw Stopped();
  }
}

unsigned processors() { return std::max(1U, std::thread::hardware_concurrency()); }

}  // namespace

InUse::InUse(Owner& owner) : thread_(&owner.thread) {
  owner.process.require("these memory tiers were");
  std::thread::id expected = {};
  if (thread_->compare_exchange_strong(expected, std::this_thread::get_id())) {
    return;
  }
  if (expected != std::this_thread::get_id()) {
    throw std::runtime_error(
        "these memory tiers are in use by another thread; give each thread its own TierManager");
  }
  thread_ = nullptr;
}

InUse::~InUse() {
  if (thread_ != nullptr) {
    thread_->store({}, std::memory_order_release);
  }
}

Store::Store(std::vector<std::shared_ptr<Tier>> tiers, std::uint64_t budget)
    : tiers_(std::move(tiers)), budget_(budget) {}

const Store::Block& Store::at(Id block) const {
  const auto found = blocks_.find(block);
  if (found == blocks_.end()) {
    throw std::invalid_argument("block: it was freed; allocate another block");
  }
  return found->second;
}

Store::Block& Store::at(Id block) {
  return const_cast<Block&>(static_cast<const Store&>(*this).at(block));
}

Store::Id Store::allocate(std::uint64_t size, std::size_t tier, const StopCheck& stop) {
  const InUse use(owner_);
  check_size(size);
  Tier& target = *tiers_.at(tier);
  spend(target, size);
  Block block = {tier, target.allocate(size), 0};
  try {
    fill(block, {}, stop);
  } catch (...) {
    target.release(block.extent);
    throw;
  }
  const Mapping zeros = Mapping::reserve(std::min(size, kBounce));
  Checksum checksum;
  for (std::uint64_t left = size; left > 0; left -= std::min(left, kBounce)) {
    checksum.add(zeros.bytes().first(static_cast<std::size_t>(std::min(left, kBounce))));
  }
  block.checksum = checksum.value();
  blocks_.emplace(next_, block);
  return next_++;
}

Store::Id Store::store(std::span<const std::byte> content, std::size_t tier,
                       const StopCheck& stop) {
  const InUse use(owner_);
  check_size(content.size());
  Tier& target = *tiers_.at(tier);
  spend(target, content.size());
  const Block block = {tier, target.allocate(content.size()), checksum_of(content)};
  try {
    fill(block, content, stop);
  } catch (...) {
    target.release(block.extent);
    throw;
  }
  blocks_.emplace(next_, block);
  return next_++;
}

void Store::free(Id block) {
  const InUse use(owner_);
  const Block& freed = at(block);
  tiers_[freed.tier]->release(freed.extent);
  blocks_.erase(block);
}

// Writes the content, or zeros for none, through the aligned buffer.
void Store::fill(const Block& block, std::span<const std::byte> content, const StopCheck& stop) {
  Tier& tier = *tiers_[block.tier];
  if (bounce_.size() == 0) {
    bounce_ = Mapping::reserve(kBounce);
  }
  if (content.empty()) {
    std::memset(bounce_.data(), 0, kBounce);
  }
  for (std::uint64_t at = 0; at < block.extent.size; at += kBounce) {
    throw_if_stopped(stop);
    const auto size = static_cast<std::size_t>(std::min(kBounce, block.extent.size - at));
    if (!content.empty()) {
      std::memcpy(bounce_.data(), content.data() + at, size);
    }
    const std::array<iovec, 1> part = {iovec{bounce_.data(), size}};
    tier.write(block.extent.offset + at, part);
  }
  tier.flush();
}

void Store::write(Id block, std::span<const std::byte> content) {
  const InUse use(owner_);
  Block& target = at(block);
  if (content.size() != target.extent.size) {
    throw std::invalid_argument("content: expected " + std::to_string(target.extent.size) +
                                " bytes, got " + std::to_string(content.size()));
  }
  spend(*tiers_[target.tier], content.size());
  target.checksum = checksum_of(content);
  fill(target, content, {});
}

void Store::read(Id block, std::span<std::byte> content, const StopCheck& stop) {
  const InUse use(owner_);
  const Block& source = at(block);
  Tier& tier = *tiers_[source.tier];
  if (bounce_.size() == 0) {
    bounce_ = Mapping::reserve(kBounce);
  }
  Checksum checksum;
  for (std::uint64_t done = 0; done < source.extent.size; done += kBounce) {
    throw_if_stopped(stop);
    const auto size = static_cast<std::size_t>(std::min(kBounce, source.extent.size - done));
    const std::array<iovec, 1> part = {iovec{bounce_.data(), size}};
    tier.read(source.extent.offset + done, part);
    checksum.add(bounce_.bytes().first(size));
    if (!content.empty()) {
      std::memcpy(content.data() + done, bounce_.data(), size);
    }
  }
  if (checksum.value() != source.checksum) {
    throw Damaged("a block of " + std::to_string(source.extent.size) + " bytes in " + tier.name() +
                  " does not hold what was stored in it");
  }
}

void Store::verify(Id block, const StopCheck& stop) {
  const InUse use(owner_);
  const Block& source = at(block);
  std::byte* const address = tiers_[source.tier]->address();
  if (address == nullptr) {
    read(block, {}, stop);
    return;
  }
  const std::span<const std::byte> content(address + source.extent.offset,
                                           static_cast<std::size_t>(source.extent.size));
  if (checksum_of(content) != source.checksum) {
    throw Damaged("a block of " + std::to_string(source.extent.size) + " bytes in " +
                  tiers_[source.tier]->name() + " does not hold what was stored in it");
  }
}

void Store::vary(Id block) {
  const InUse use(owner_);
  Block& changed = at(block);
  std::byte* const address = tiers_[changed.tier]->address();
  if (address == nullptr) {
    return;
  }
  const std::span<std::byte> content(address + changed.extent.offset,
                                     static_cast<std::size_t>(changed.extent.size));
  change_some(content);
  changed.checksum = checksum_of(content);
}

void Store::migrate(std::span<const Id> blocks, std::size_t tier, const StopCheck& stop) {
  const InUse use(owner_);
  Tier& target = *tiers_.at(tier);
  std::vector<Id> moving;
  std::uint64_t total = 0;
  for (const Id block : blocks) {
    if (at(block).tier != tier) {
      moving.push_back(block);
      total += at(block).extent.size;
    }
  }
  if (blocks.size() > 1 && std::set<Id>(blocks.begin(), blocks.end()).size() != blocks.size()) {
    throw std::invalid_argument("blocks: a block is in the list twice; name each block once");
  }
  spend(target, total);
  // Blocks of one tier behind each other, so that each pair of tiers is one transfer.
  std::stable_sort(moving.begin(), moving.end(),
                   [this](Id a, Id b) { return at(a).tier < at(b).tier; });
  std::vector<Extent> room;
  room.reserve(moving.size());
  try {
    for (const Id block : moving) {
      room.push_back(target.allocate(at(block).extent.size));
    }
    move(moving, room, tier, stop);
    target.flush();
  } catch (...) {
    for (const Extent& extent : room) {
      target.release(extent);
    }
    throw;
  }
  for (std::size_t i = 0; i < moving.size(); ++i) {
    Block& block = at(moving[i]);
    tiers_[block.tier]->release(block.extent);
    block.tier = tier;
    block.extent = room[i];
  }
}

void Store::move(std::span<const Id> blocks, std::span<const Extent> room, std::size_t tier,
                 const StopCheck& stop) {
  std::vector<Segment> segments;
  for (std::size_t begin = 0; begin < blocks.size();) {
    const std::size_t source = at(blocks[begin]).tier;
    std::uint64_t total = 0;
    segments.clear();
    std::size_t end = begin;
    for (; end < blocks.size() && at(blocks[end]).tier == source; ++end) {
      const Extent& from = at(blocks[end]).extent;
      segments.push_back({from.offset, room[end].offset, from.size});
      total += from.size;
    }
    transfer_.move(*tiers_[source], *tiers_[tier], segments, tuning(source, tier, total), stop);
    begin = end;
  }
}

Store::Route Store::route(std::size_t from, std::size_t to, std::uint64_t size) const {
  // What was found for the largest block holds for all that is larger.
  return {from, to, static_cast<unsigned>(std::bit_width(std::min(size, kMaxBlock) - 1))};
}

const Calibration& Store::calibrate(std::size_t from, std::size_t to, std::uint64_t size,
                                    const StopCheck& stop) {
  const InUse use(owner_);
  check_size(size);
  Tier& source = *tiers_.at(from);
  Tier& target = *tiers_.at(to);
  const std::uint64_t bytes = calibration_bytes(source, target, size, processors());
  spend(source.durable() ? source : target, bytes);
  Calibration found = memory::calibrate(transfer_, source, target, size, processors(), stop);
  return calibrations_.insert_or_assign(route(from, to, size), std::move(found)).first->second;
}

Tuning Store::tuning(std::size_t from, std::size_t to, std::uint64_t size) const {
  const auto found = calibrations_.find(route(from, to, size));
  if (found != calibrations_.end()) {
    return found->second.best;
  }
  return default_tuning(*tiers_.at(from), *tiers_.at(to));
}

void Store::trim() {
  const InUse use(owner_);
  for (const std::shared_ptr<Tier>& tier : tiers_) {
    tier->trim();
  }
}

void Store::spend(const Tier& tier, std::uint64_t bytes) {
  if (!tier.durable()) {
    return;
  }
  if (bytes > budget_ - written_) {
    throw std::invalid_argument("budget_bytes: writing " + std::to_string(bytes) + " bytes to " +
                                tier.name() + " exceeds it: " + std::to_string(written_) + " of " +
                                std::to_string(budget_) +
                                " are written; give a larger budget_bytes");
  }
  written_ += bytes;
}

}  // namespace stratoperf::memory
