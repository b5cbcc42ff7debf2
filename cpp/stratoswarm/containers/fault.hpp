// What went wrong in a step, in memory that the child that enters the sandbox shares with the
// helper.
#pragma once

#include <cstddef>
#include <initializer_list>

#include "stratoswarm/containers/protocol.hpp"

namespace stratoperf::containers {

constexpr int kNoErrno = 1 << 16;  // the step says it all

struct Fault {
  int error = 0;
  char step[kStepBytes] = {};

  bool occurred() const { return error != 0; }
};

// Keeps the first fault; false, so that steps can be chained. `detail` may be null.
inline bool fail(Fault& fault, long error, const char* step, const char* detail = nullptr) {
  if (fault.occurred()) {
    return false;
  }
  fault.error = static_cast<int>(error < 0 ? -error : error);
  std::size_t length = 0;
  for (const char* text : {step, detail == nullptr ? "" : " ", detail == nullptr ? "" : detail}) {
    for (; *text != 0 && length + 1 < kStepBytes; ++text) {
      fault.step[length++] = *text;
    }
  }
  fault.step[length] = 0;
  return false;
}

}  // namespace stratoperf::containers
