#include "core/perf_counters.hpp"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

namespace stratoperf {
namespace {

struct Kind {
  std::string_view name;
  std::uint32_t type;
  std::uint64_t config;
};

constexpr std::uint64_t read_misses(std::uint64_t cache) {
  return cache | PERF_COUNT_HW_CACHE_OP_READ << 8 |
         std::uint64_t{PERF_COUNT_HW_CACHE_RESULT_MISS} << 16;
}

constexpr std::array kKinds = {
    Kind{"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    Kind{"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    Kind{"branches", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS},
    Kind{"branch misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
    Kind{"cache references", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES},
    Kind{"cache misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
    Kind{"L1d read misses", PERF_TYPE_HW_CACHE, read_misses(PERF_COUNT_HW_CACHE_L1D)},
    Kind{"dTLB read misses", PERF_TYPE_HW_CACHE, read_misses(PERF_COUNT_HW_CACHE_DTLB)},
};

// What read() returns with the format asked for below.
struct Reading {
  std::uint64_t value;
  std::uint64_t enabled_ns;
  std::uint64_t running_ns;
};

std::vector<pid_t> threads_of_this_process() {
  std::vector<pid_t> threads;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error)) {
    const std::string name = entry.path().filename().string();
    pid_t thread = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), thread).ec == std::errc()) {
      threads.push_back(thread);
    }
  }
  if (threads.empty()) {
    threads.push_back(0);  // without /proc: this thread
  }
  return threads;
}

int open_event(const Kind& kind, pid_t thread) {
  perf_event_attr attributes = {};
  attributes.size = sizeof(attributes);
  attributes.type = kind.type;
  attributes.config = kind.config;
  attributes.disabled = 1;
  attributes.inherit = 1;
  // What happens in the kernel needs a privilege, and is not the operation's own work.
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  return static_cast<int>(
      syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

}  // namespace

PerfCounters::PerfCounters() {
  const std::vector<pid_t> threads = threads_of_this_process();
  events_.resize(kKinds.size());
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    for (const pid_t thread : threads) {
      const int descriptor = open_event(kKinds[i], thread);
      if (descriptor >= 0) {
        events_[i].descriptors.push_back(descriptor);
      } else if (errno != ESRCH) {  // a thread that ended in the meantime counts nothing
        events_[i].error = errno;
      }
    }
  }
}

PerfCounters::~PerfCounters() { close_all(); }

void PerfCounters::close_all() {
  for (Event& event : events_) {
    for (const int descriptor : event.descriptors) {
      close(descriptor);
    }
    event.descriptors.clear();
  }
}

void PerfCounters::start() {
  process_.require("these counters were");
  for (const Event& event : events_) {
    for (const int descriptor : event.descriptors) {
      ioctl(descriptor, PERF_EVENT_IOC_RESET, 0);
      ioctl(descriptor, PERF_EVENT_IOC_ENABLE, 0);
    }
  }
}

std::vector<PerfCount> PerfCounters::stop() {
  process_.require("these counters were");
  for (const Event& event : events_) {
    for (const int descriptor : event.descriptors) {
      ioctl(descriptor, PERF_EVENT_IOC_DISABLE, 0);
    }
  }
  std::vector<PerfCount> counts;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    PerfCount count = {kKinds[i].name, 0, events_[i].error};
    for (const int descriptor : events_[i].descriptors) {
      Reading reading = {};
      if (read(descriptor, &reading, sizeof(reading)) != sizeof(reading)) {
        count.error = EIO;
      } else if (reading.running_ns > 0) {
        count.value += static_cast<double>(reading.value) *
                       static_cast<double>(reading.enabled_ns) /
                       static_cast<double>(reading.running_ns);
      } else if (reading.enabled_ns > 0) {
        count.error = EBUSY;  // the hardware never had room for it
      }
    }
    counts.push_back(count);
  }
  return counts;
}

}  // namespace stratoperf
