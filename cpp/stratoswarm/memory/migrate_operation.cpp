#include "stratoswarm/memory/migrate_operation.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace stratoperf::memory {

MigrateOperation::MigrateOperation(std::shared_ptr<Store> store,
                                   std::vector<std::vector<Store::Id>> groups, std::size_t from,
                                   std::size_t to)
    : store_(std::move(store)), groups_(std::move(groups)), from_(from), to_(to), stop_([this] {
        return stop_requested();
      }) {
  if (groups_.empty()) {
    throw std::invalid_argument("blocks: must not be empty; give at least one block to migrate");
  }
}

void MigrateOperation::prepare(std::uint64_t n) {
  if (n > groups_.size()) {
    throw std::invalid_argument("blocks: a batch of " + std::to_string(n) +
                                " iterations needs as many blocks, there are " +
                                std::to_string(groups_.size()));
  }
  if (next_ + n <= groups_.size()) {
    return;
  }
  // Where only the source has addresses, what comes back is checked there: reading it from the
  // target twice would take as long as the measurement.
  const bool check_at_home =
      store_->tier(from_).address() != nullptr && store_->tier(to_).address() == nullptr;
  if (!check_at_home) {
    check_moved();
  }
  try {
    // The last one first: the next to be timed is the one that caches know least.
    for (; next_ > 0 && !stop_requested(); --next_) {
      const std::vector<Store::Id>& group = groups_[next_ - 1];
      bring_back(group);
      if (check_at_home && next_ > checked_) {
        check(group);
      }
      if (check_at_home) {
        vary(group);
      }
    }
  } catch (const Stopped&) {
    return;  // the sampler looks at the token itself
  }
  checked_ = 0;
}

void MigrateOperation::run(std::uint64_t n) {
  try {
    for (; n > 0 && !stop_requested(); --n) {
      store_->migrate(groups_.at(next_), to_, stop_);
      ++next_;
    }
  } catch (const Stopped&) {
    return;
  }
}

void MigrateOperation::check(const std::vector<Store::Id>& group) {
  for (const Store::Id block : group) {
    store_->verify(block);
    ++verified_;
  }
}

// What is left in the target must not pass for what the next migration moves. Where it has no
// addresses it is the block that changes, once it is back; where neither has, both ends are
// cleared.
void MigrateOperation::bring_back(const std::vector<Store::Id>& group) {
  std::vector<Extent> left;
  for (const Store::Id block : group) {
    left.push_back(store_->extent_of(block));
  }
  store_->migrate(group, from_, stop_);
  Tier& target = store_->tier(to_);
  const bool vary_later = store_->tier(from_).address() != nullptr;
  for (const Extent& extent : left) {
    if (target.address() != nullptr) {
      change_some({target.address() + extent.offset, static_cast<std::size_t>(extent.size)});
    } else if (!vary_later) {
      store_->spend(target, kClearedBytes);
      clear_ends(target, extent);
    }
  }
}

void MigrateOperation::vary(const std::vector<Store::Id>& group) {
  for (const Store::Id block : group) {
    store_->vary(block);
  }
}

void MigrateOperation::check_moved() {
  for (; checked_ < next_ && !stop_requested(); ++checked_) {
    check(groups_[checked_]);
  }
}

Verification MigrateOperation::verify() {
  check_moved();
  return {verified_, true};
}

}  // namespace stratoperf::memory
