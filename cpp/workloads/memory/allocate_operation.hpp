// Allocation in a tier as an operation for the sampler.
#pragma once

#include <memory>
#include <vector>

#include "core/operation.hpp"
#include "workloads/memory/store.hpp"

namespace stratoperf::memory {

// One iteration allocates `count` blocks of `size` bytes in a tier, then frees them all. Fresh
// ones come from the system and go back to it each time; else the tier keeps the room, and only
// the first iteration pays for it. In memory every block's first word is written and later
// checked, so that no two blocks overlap.
class AllocateOperation final : public Operation {
 public:
  // Throws std::invalid_argument for no block, and TierError when the tier has no room for them.
  AllocateOperation(std::shared_ptr<Store> store, std::size_t tier, std::uint64_t size,
                    std::size_t count, bool fresh);

  void run(std::uint64_t n) override;
  Verification verify() override;

 private:
  void allocate_all();
  void release_all();

  std::shared_ptr<Store> store_;
  Tier& tier_;
  std::uint64_t size_;
  std::size_t count_;
  bool fresh_;
  std::vector<Extent> extents_ = {};
  std::uint64_t rounds_ = 0;
};

}  // namespace stratoperf::memory
