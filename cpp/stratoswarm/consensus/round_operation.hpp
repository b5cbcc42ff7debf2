// A quorum round as an operation for the sampler.
#pragma once

#include <memory>
#include <vector>

#include "core/operation.hpp"
#include "stratoswarm/consensus/round.hpp"

namespace stratoperf::consensus {

// The batches that an operation rotates through, and what it made of each. Shared with whoever
// checks the outcomes, who reads them only while the operation does not run.
struct Rotation {
  struct Slot {
    Votes votes = {};      // not owned
    Outcome outcome = {};  // the last one; kept for each batch so that all can be verified
    bool decided = false;  // whether `outcome` is that of a complete round
  };
  std::vector<Slot> slots = {};
};

// One iteration decides one batch, the next iteration the next one, and so on in a circle.
class RoundOperation final : public Operation {
 public:
  // Throws std::invalid_argument when there is no batch, and what Round throws.
  RoundOperation(const Parameters& parameters, std::shared_ptr<Rotation> rotation);

  void run(std::uint64_t n) override;

 private:
  Round round_;
  std::shared_ptr<Rotation> rotation_;
  std::function<bool()> stop_;
  std::size_t next_ = 0;
};

}  // namespace stratoperf::consensus
