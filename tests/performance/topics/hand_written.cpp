// The loops that a careful engineer writes by hand: what the sampler is held to.
// Compiled by sampler_.py into a shared library.
#include <cstdint>
#include <ctime>

#include "core/clock.hpp"
#include "stratoperf/operation.h"

using stratoperf::CounterReader;

extern "C" {

// An empty operation behind the same function pointer that the sampler calls through.
static int run_empty(void*, std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) {
    asm volatile("" ::: "memory");
  }
  return 0;
}

int (*empty_operation)(void*, std::uint64_t) = run_empty;

// Takes `count` samples of one iteration each into `out`, in ticks.
__attribute__((visibility("default"))) void time_samples(std::uint64_t* out, std::uint64_t count) {
  int (*volatile run)(void*, std::uint64_t) = empty_operation;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t start = CounterReader::start();
    run(nullptr, 1);
    const std::uint64_t stop = CounterReader::stop();
    out[i] = stop - start;
  }
}

// Reads CLOCK_MONOTONIC `count` times.
__attribute__((visibility("default"))) std::int64_t read_system_clock(std::uint64_t count) {
  timespec now = {};
  std::int64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    sum += now.tv_nsec;
  }
  return sum;
}
}
