#include "core/perf_counters.hpp"

#include <doctest.h>

#include <cstdint>
#include <set>
#include <string_view>

using namespace stratoperf;

namespace {

// About three instructions an iteration.
void work(std::uint64_t iterations) {
  volatile std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < iterations; ++i) {
    sum = sum + i;
  }
}

double instructions_of(PerfCounters& counters, std::uint64_t iterations) {
  counters.start();
  work(iterations);
  return counters.stop()[1].value;
}

}  // namespace

TEST_CASE("an event is counted, or says why it is not") {
  PerfCounters counters;
  counters.start();
  work(1'000'000);
  std::set<std::string_view> names;
  for (const PerfCount& count : counters.stop()) {
    names.insert(count.name);
    CHECK(count.error >= 0);
    if (count.error != 0) {
      CHECK(count.value == 0);
    }
    if (count.error == 0 && (count.name == "instructions" || count.name == "cycles")) {
      CHECK(count.value > 1e5);
    }
  }
  CHECK(names.contains("instructions"));
  CHECK(names.contains("cache misses"));
}

TEST_CASE("more work counts more, and every start counts from zero") {
  PerfCounters counters;
  counters.start();
  if (counters.stop()[1].error != 0) {
    MESSAGE("no counters here");
    return;
  }
  const double few = instructions_of(counters, 1'000'000);
  const double many = instructions_of(counters, 4'000'000);
  const double few_again = instructions_of(counters, 1'000'000);
  CHECK(many > 2 * few);
  CHECK(few_again < 2 * few);
}
