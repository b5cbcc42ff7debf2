// Bandwidth of one tier or between two, as an operation for the sampler.
#pragma once

#include <memory>
#include <vector>

#include "core/operation.hpp"
#include "stratoswarm/memory/calibration.hpp"
#include "stratoswarm/memory/store.hpp"

namespace stratoperf::memory {

enum class Access { read, write, copy };

// One iteration moves `size` bytes once:
// - read: from the tier to the processor. Memory is summed up where it lies; from a disk it is
//   copied into memory, as fio reads.
// - write: memory is filled where it lies; a disk is written to from memory and flushed, as fio
//   does with end_fsync.
// - copy: from the first tier to the second (STREAM's Copy for two memories), flushed.
//
// Before each run prepare() changes some words, at the target where it has addresses and else at
// the source, so that a run that moves nothing does not pass for the one before it. Every run is
// held to these words where the target has addresses, and the last one to all bytes.
class BandwidthOperation final : public Operation {
 public:
  // `to` is used by a copy only. Room of `size` bytes in each tier that takes part, and of
  // memory for a disk's bytes, is held until the end. Writes to durable tiers are counted against
  // the store's budget. Throws std::invalid_argument, TierError, and Stopped when `stop` says so.
  BandwidthOperation(std::shared_ptr<Store> store, Access access, std::size_t from, std::size_t to,
                     std::uint64_t size, const Tuning& tuning, const StopCheck& stop = {});
  ~BandwidthOperation() override;

  void prepare(std::uint64_t n) override;
  void run(std::uint64_t n) override;
  Verification verify() override;

 private:
  void once();
  void release();
  std::uint64_t sum(const Tier& tier, const Extent& extent) const;
  void fill(const StopCheck& stop);
  void mark();
  bool arrived() const;
  void check_last();
  bool moved_all();
  std::uint64_t content(Tier& tier, const Extent& extent);

  std::shared_ptr<Store> store_;
  Access access_;
  std::uint64_t size_;
  Tuning tuning_;
  std::unique_ptr<Tier> memory_ = nullptr;  // what a disk reads into and is written from
  Tier* from_ = nullptr;
  Tier* to_ = nullptr;  // null: memory is read or filled in place
  Extent source_ = {};
  Extent target_ = {};
  Transfer transfer_ = {};
  std::uint64_t sum_ = 0;       // of the last reading in place
  std::uint64_t expected_ = 0;  // what it has to be
  std::uint64_t rounds_ = 0;
  std::uint64_t checked_ = 0;
  std::uint64_t wrong_ = 0;
  bool due_ = false;  // a run that was not checked yet
  bool cut_short_ = false;
  StopCheck stop_;
};

}  // namespace stratoperf::memory
