// Counters of the processor (cycles, cache misses and so on) for the threads of this process.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/fork.hpp"

namespace stratoperf {

struct PerfCount {
  std::string_view name;
  double value = 0;  // scaled to the whole time where events had to share the hardware
  int error = 0;     // an errno where the event cannot be counted, and `value` means nothing
};

// Counts user-space events of every thread that exists when it is made, and of those that they
// start. Owns the descriptors.
class PerfCounters {
 public:
  PerfCounters();
  ~PerfCounters();
  PerfCounters(const PerfCounters&) = delete;
  PerfCounters& operator=(const PerfCounters&) = delete;

  // Throw Forked in a process that was forked from the one that made them: what they count, and
  // whether they do, is that one's.
  void start();
  // One entry per event, in a fixed order.
  std::vector<PerfCount> stop();

 private:
  struct Event {
    std::vector<int> descriptors;  // one per thread
    int error = 0;
  };
  void close_all();

  OwnProcess process_ = {};
  std::vector<Event> events_ = {};
};

}  // namespace stratoperf
