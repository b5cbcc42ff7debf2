// Allocation in a tier as an operation for the sampler.
#pragma once

#include <memory>
#include <vector>

#include "core/operation.hpp"
#include "stratoswarm/memory/store.hpp"

namespace stratoperf::memory {

// One iteration allocates `count` blocks of `size` bytes in a tier, then frees them all. Fresh
// ones come from the system and go back to it each time; else the tier keeps the room, and only
// the first iteration pays for it. In memory every block's first word is written.
//
// Verified are the blocks of the last iteration: they lay apart, and their words are there still,
// or are gone where the room was given back. Fresh pages of memory are held to the kernel's own
// count of page faults.
class AllocateOperation final : public Operation {
 public:
  // Throws std::invalid_argument for no block, and TierError when the tier has no room for them.
  AllocateOperation(std::shared_ptr<Store> store, std::size_t tier, std::uint64_t size,
                    std::size_t count, bool fresh);

  void prepare(std::uint64_t n) override;
  void run(std::uint64_t n) override;
  Verification verify() override;

 private:
  void allocate_all();
  void release_all();
  void count_faults();
  bool lie_apart() const;
  bool hold_their_words() const;

  std::shared_ptr<Store> store_;
  Tier& tier_;
  std::uint64_t size_;
  std::size_t count_;
  bool fresh_;
  std::vector<Extent> extents_ = {};
  std::vector<Extent> last_ = {};  // of the iteration before
  std::uint64_t rounds_ = 0;
  std::uint64_t counted_rounds_ = 0;  // whose faults were counted
  std::uint64_t faults_before_ = 0;   // the kernel's count then
  std::uint64_t missing_faults_ = 0;
};

}  // namespace stratoperf::memory
