// Which process an object was made in: threads, and what files have in them, stay there.
#pragma once

#include <cstdint>

#include "core/failure.hpp"

namespace stratoperf {

// Something was used in a process that was forked from the one that made it.
class Forked : public Failure {
 public:
  using Failure::Failure;
};

// The process that it was made in. Asking whether that is this one costs two loads and no system
// call, so that timed code can do it.
class OwnProcess {
 public:
  OwnProcess();
  bool is_this() const;
  // Throws Forked, with what was made there as the subject, unless it is this one.
  void require(const char* what) const;

 private:
  std::uint64_t forks_;
};

}  // namespace stratoperf
