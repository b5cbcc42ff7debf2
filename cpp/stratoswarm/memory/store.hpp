// Blocks in tiers: allocate, fill, move, read, free.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "core/failure.hpp"
#include "core/fork.hpp"
#include "stratoswarm/memory/calibration.hpp"
#include "stratoswarm/memory/checksum.hpp"
#include "stratoswarm/memory/transfer.hpp"

namespace stratoperf::memory {

constexpr std::uint64_t kMinBlock = kPage;
constexpr std::uint64_t kMaxBlock = std::uint64_t{1} << 30;

// A block's content is not what was stored in it.
class Damaged : public Failure {
 public:
  explicit Damaged(const std::string& message) : Failure(message, Kind::wrong) {}
};

// Whose a store is: a process's, and at times a thread's.
struct Owner {
  OwnProcess process = {};
  std::atomic<std::thread::id> thread = {};
};

// Says who uses a store meanwhile.
class InUse {
 public:
  // Throws std::runtime_error when another thread does; the same one may nest. Throws Forked in
  // another process than the owner's, which shares the files of the tiers with it.
  explicit InUse(Owner& owner);
  InUse(const InUse&) = delete;
  InUse& operator=(const InUse&) = delete;
  ~InUse();

 private:
  std::atomic<std::thread::id>* thread_;  // null inside of another
};

// From one thread at a time; a second one gets std::runtime_error.
class Store {
 public:
  using Id = std::uint64_t;

  // `budget` bounds the bytes that are ever written to durable tiers.
  Store(std::vector<std::shared_ptr<Tier>> tiers, std::uint64_t budget);

  Tier& tier(std::size_t index) { return *tiers_.at(index); }
  std::size_t tiers() const { return tiers_.size(); }
  std::uint64_t budget() const { return budget_; }
  std::uint64_t written() const { return written_; }

  // For whoever uses the tiers directly.
  [[nodiscard]] InUse use() { return InUse(owner_); }

  // A block of zeros, or of `content`, whose size is a multiple of kPage from kMinBlock to
  // kMaxBlock. Throws std::invalid_argument for another size or a spent budget, TierError, and
  // Stopped; there is no block then.
  Id allocate(std::uint64_t size, std::size_t tier, const StopCheck& stop = {});
  Id store(std::span<const std::byte> content, std::size_t tier, const StopCheck& stop = {});
  void free(Id block);
  // Throws Damaged unless it holds what was stored, TierError, and Stopped.
  void read(Id block, std::span<std::byte> content, const StopCheck& stop = {});
  // Replaces the content. When the tier fails the block is lost: its checksum no longer holds. It
  // cannot be stopped, which would leave the block with half of either.
  void write(Id block, std::span<const std::byte> content);

  std::uint64_t size_of(Id block) const { return at(block).extent.size; }
  const Extent& extent_of(Id block) const { return at(block).extent; }
  std::size_t tier_of(Id block) const { return at(block).tier; }

  // Moves the blocks as one to another tier: returns when all are durable there and their room in
  // the old tiers is free. When it throws (TierError, Stopped, std::invalid_argument for a spent
  // budget) every block is where it was.
  void migrate(std::span<const Id> blocks, std::size_t tier, const StopCheck& stop);

  // Reads the block and throws Damaged unless it holds what was stored, TierError, and Stopped.
  void verify(Id block, const StopCheck& stop = {});

  // Changes some bytes of a block in a tier with addresses, so that older copies of it no longer
  // pass for it. Elsewhere it does nothing.
  void vary(Id block);

  // Measures how blocks of about this size (the same power of two) move fastest between two
  // tiers, which may be one; they move so from then on. Writes to durable tiers, within the budget.
  // Throws TierError, Stopped and std::invalid_argument.
  const Calibration& calibrate(std::size_t from, std::size_t to, std::uint64_t size,
                               const StopCheck& stop);
  // What was measured, or a choice that suits most devices.
  Tuning tuning(std::size_t from, std::size_t to, std::uint64_t size) const;

  // Gives the room that no block uses back to the system.
  void trim();
  // Counts bytes that are about to be written to a tier against the budget. Throws
  // std::invalid_argument when it does not hold them.
  void spend(const Tier& tier, std::uint64_t bytes);

 private:
  struct Block {
    std::size_t tier = 0;
    Extent extent = {};
    std::uint64_t checksum = 0;
  };
  struct Route {
    std::size_t from = 0;
    std::size_t to = 0;
    unsigned size_class = 0;
    auto operator<=>(const Route&) const = default;
  };

  const Block& at(Id block) const;
  Block& at(Id block);
  void fill(const Block& block, std::span<const std::byte> content, const StopCheck& stop);
  void move(std::span<const Id> blocks, std::span<const Extent> room, std::size_t tier,
            const StopCheck& stop);
  Route route(std::size_t from, std::size_t to, std::uint64_t size) const;

  Owner owner_ = {};
  std::vector<std::shared_ptr<Tier>> tiers_;
  std::uint64_t budget_;
  std::uint64_t written_ = 0;
  std::map<Id, Block> blocks_ = {};
  Id next_ = 1;
  Transfer transfer_ = {};
  std::map<Route, Calibration> calibrations_ = {};
  Mapping bounce_ = {};  // aligned, for content that is not
};

}  // namespace stratoperf::memory
