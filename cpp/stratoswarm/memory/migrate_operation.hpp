// A migration as an operation for the sampler.
#pragma once

#include <memory>
#include <vector>

#include "core/operation.hpp"
#include "stratoswarm/memory/store.hpp"

namespace stratoperf::memory {

// One iteration migrates one block (or one batch of blocks as one) from one tier to the other;
// the blocks take turns, so that caches do not learn one of them. When all have moved, prepare()
// checks each against its checksum and brings it back, outside the timed region, so that nothing of
// it that still lies in the target passes for the next migration.
class MigrateOperation final : public Operation {
 public:
  // `groups` hold the blocks that move as one; all lie in `from`. Throws std::invalid_argument
  // when there is none.
  MigrateOperation(std::shared_ptr<Store> store, std::vector<std::vector<Store::Id>> groups,
                   std::size_t from, std::size_t to);

  void prepare(std::uint64_t n) override;
  void run(std::uint64_t n) override;
  // Checks the blocks that have moved since the last check; counts all checks.
  Verification verify() override;

 private:
  void check(const std::vector<Store::Id>& group);
  void bring_back(const std::vector<Store::Id>& group);
  void vary(const std::vector<Store::Id>& group);
  void check_moved();

  std::shared_ptr<Store> store_;
  std::vector<std::vector<Store::Id>> groups_;
  std::size_t from_;
  std::size_t to_;
  std::size_t next_ = 0;     // groups before it have moved
  std::size_t checked_ = 0;  // of these, how many were found intact
  std::uint64_t verified_ = 0;
  StopCheck stop_;
};

}  // namespace stratoperf::memory
