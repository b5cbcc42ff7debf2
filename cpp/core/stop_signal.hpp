// Ctrl-C for native loops: while one of these lives, SIGINT, SIGTERM, SIGHUP and SIGQUIT also set a
// stop token.
#pragma once

#include <cstdint>

namespace stratoperf {

// Chains in front of the handlers that are installed (Python's), so that they still run. A signal
// whose disposition is the default or ignored is left alone. To be made and destroyed on one
// thread, last made first destroyed; nesting is allowed. The token must outlive the object.
class StopOnSignal {
 public:
  explicit StopOnSignal(std::int32_t& token);
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
};

}  // namespace stratoperf
