#include <algorithm>
#include <cmath>
#include <ctime>

#include "core/clock.hpp"
#include "doctest.h"

namespace stratoperf {
namespace {

std::uint64_t raw_now() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

TEST_CASE("the clock never goes backwards") {
  const Clock& clock = Clock::instance();
  std::uint64_t previous = clock.now_ns();
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t now = clock.now_ns();
    REQUIRE(now >= previous);
    previous = now;
  }
}

TEST_CASE("the clock follows the timeline of CLOCK_MONOTONIC_RAW") {
  const Clock& clock = Clock::instance();
  // Of several tries the closest counts: an interrupt between two reads is not the clock's fault.
  double closest = 1e18;
  for (int i = 0; i < 1000; ++i) {
    const auto before = static_cast<double>(raw_now());
    const auto ours = static_cast<double>(clock.now_ns());
    const auto after = static_cast<double>(raw_now());
    closest = std::min(closest, std::abs(ours - (before + after) / 2) - (after - before) / 2);
  }
  CHECK(closest < 20'000);  // 20 us: also under emulation
}

TEST_CASE("a moment before the calibration converts as well as one after it") {
  const Clock& clock = Clock::instance();
  const std::uint64_t now = clock.ticks();
  const auto second = static_cast<std::uint64_t>(1e9 / clock.ns_per_tick());
  const auto later = static_cast<double>(clock.to_timeline_ns(now + second));
  const auto earlier = static_cast<double>(clock.to_timeline_ns(now - second));
  CHECK(later - earlier == doctest::Approx(2e9).epsilon(1e-6));
}

TEST_CASE("resolution and overhead are measured") {
  const ClockInfo info = Clock::instance().info();
  CHECK(info.resolution_ns > 0);
  CHECK(info.overhead_ns > 0);
  CHECK(info.overhead_ns < 100'000);
  CHECK(info.frequency_hz > 1e6);
  CHECK(!info.source.empty());
  CHECK(!info.reason.empty());
  CHECK(std::abs(info.drift_ppm) < 500);  // loose: the machine may be emulated or stolen from
}

TEST_CASE("stop reads are not before start reads") {
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t start = CounterReader::start();
    REQUIRE(CounterReader::stop() >= start);
  }
}

}  // namespace
}  // namespace stratoperf
