// What every backend of matching asks of its arguments and callers.
#pragma once

#include <atomic>
#include <cstdint>

#include "stratoswarm/synthesis/rules.hpp"

namespace stratoperf::synthesis {

// Throws std::invalid_argument for tables that are too large and for patterns that matching cannot
// follow: it follows their numbers without looking.
void require_search(const Nodes& nodes, const Patterns& patterns);

// Throws std::invalid_argument for more hits than there may be.
void require_hits(std::uint64_t found, std::uint64_t max_hits);

// Marks an object as in use by one thread. Throws std::runtime_error when another one has it.
class Busy {
 public:
  explicit Busy(std::atomic<bool>& flag);
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { flag_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool>& flag_;
};

}  // namespace stratoperf::synthesis
