#include "core/clock.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace stratoperf {
namespace {

// The span of one calibration step. A pair of reads is placed to within tens of nanoseconds, so
// 20 ms fix the rate to about 2 ppm; the claims that are checked need no more than 50.
constexpr std::int64_t kStepNs = 20'000'000;

// Two consecutive steps must agree this well, or the counter does not tick at a constant rate (or
// the machine was interrupted: hence several tries).
constexpr double kAgreementPpm = 10.0;
constexpr int kMaxSteps = 10;

// The drift is measured over at least this span, for the same reason.
constexpr std::int64_t kDriftSpanNs = 50'000'000;

constexpr int kBracketTries = 64;
constexpr int kOverheadReads = 4000;
constexpr int kUndisturbedReads = kOverheadReads * 99 / 100;

struct Pair {
  std::uint64_t ticks;
  std::uint64_t ns;
};

// A counter value and the system time of the same moment: of several tries the one whose two
// system reads lie closest together, since an interrupt can only push them apart.
Pair bracketed_pair() {
  Pair best = {};
  std::uint64_t smallest = std::numeric_limits<std::uint64_t>::max();
  for (int i = 0; i < kBracketTries; ++i) {
    const std::uint64_t before = SystemReader::start();
    const std::uint64_t ticks = CounterReader::start();
    const std::uint64_t after = SystemReader::start();
    if (after - before < smallest) {
      smallest = after - before;
      best = {ticks, before + (after - before) / 2};
    }
  }
  return best;
}

void sleep_ns(std::int64_t duration) {
  const timespec span = {duration / 1'000'000'000, duration % 1'000'000'000};
  nanosleep(&span, nullptr);
}

double ns_per_tick_between(const Pair& first, const Pair& last) {
  return static_cast<double>(last.ns - first.ns) / static_cast<double>(last.ticks - first.ticks);
}

#if defined(__x86_64__)
bool has_invariant_tsc() {
  // CPUID 8000_0007h, EDX bit 8: the TSC ticks at a constant rate in all power states.
  constexpr unsigned kInvariantTsc = 1U << 8;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(0x80000007U, &a, &b, &c, &d) != 0 && (d & kInvariantTsc) != 0;
}

// The kernel drops "tsc" from this list once its watchdog finds it unstable or the processors out
// of step. An unreadable list proves nothing.
bool kernel_distrusts_tsc() {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/available_clocksource");
  const std::istream_iterator<std::string> begin(file);
  const std::istream_iterator<std::string> end;
  bool listed = false;
  return std::none_of(begin, end,
                      [&listed](const std::string& source) {
                        listed = true;
                        return source == "tsc";
                      }) &&
         listed;
}
#endif

// Why the processor's counter must not be used; empty when it may.
std::string counter_unusable() {
#if defined(__x86_64__)
  if (!has_invariant_tsc()) {
    return "CPUID does not report an invariant TSC";
  }
  if (kernel_distrusts_tsc()) {
    return "the kernel does not list tsc among its available clock sources";
  }
#endif
  return {};
}

std::string counter_reason() {
#if defined(__x86_64__)
  return "CPUID reports an invariant TSC, the kernel does not distrust it, and its rate held";
#else
  return "the architecture guarantees a constant rate, and its rate held";
#endif
}

}  // namespace

const Clock& Clock::instance() {
  static const Clock clock([] {
    const char* requested = std::getenv("STRATOPERF_CLOCK");
    return std::string_view(requested == nullptr ? "auto" : requested);
  }());
  return clock;
}

Clock::Clock(std::string_view requested) {
  if (requested == "clock_gettime") {
    reason_ = "requested by STRATOPERF_CLOCK";
  } else if (requested == "auto" || requested == "counter" || requested.empty()) {
    reason_ = counter_unusable();
    if (reason_.empty()) {
      uses_counter_ = calibrate();
      reason_ = uses_counter_ ? counter_reason()
                              : "the processor's counter did not hold its rate against "
                                "CLOCK_MONOTONIC_RAW";
    }
  } else {
    throw std::invalid_argument("STRATOPERF_CLOCK: '" + std::string(requested) +
                                "' is not a clock; use auto, counter or clock_gettime");
  }
  if (!uses_counter_) {
    ns_per_tick_ = 1;
    anchor_ticks_ = anchor_ns_ = SystemReader::start();
  }
  measure_resolution_and_overhead();
}

bool Clock::calibrate() {
  Pair previous = bracketed_pair();
  const Pair first = previous;
  double previous_rate = 0;
  for (int step = 0; step < kMaxSteps; ++step) {
    sleep_ns(kStepNs);
    const Pair current = bracketed_pair();
    if (current.ticks <= previous.ticks) {
      return false;
    }
    const double rate = ns_per_tick_between(previous, current);
    if (step > 0 && std::abs(rate / previous_rate - 1) * 1e6 < kAgreementPpm) {
      // The whole span fixes the rate best, unless an early step was disturbed.
      const double whole = ns_per_tick_between(first, current);
      ns_per_tick_ = std::abs(whole / rate - 1) * 1e6 < kAgreementPpm ? whole : rate;
      anchor_ticks_ = current.ticks;
      anchor_ns_ = current.ns;
      return true;
    }
    previous = current;
    previous_rate = rate;
  }
  return false;
}

void Clock::measure_resolution_and_overhead() {
  std::vector<std::uint64_t> lengths(kOverheadReads);
  std::uint64_t divisor = 0;
  const std::uint64_t origin = ticks();
  for (std::uint64_t& length : lengths) {
    const std::uint64_t start = uses_counter_ ? CounterReader::start() : SystemReader::start();
    const std::uint64_t stop = uses_counter_ ? CounterReader::stop() : SystemReader::stop();
    length = stop - start;
    divisor = std::gcd(divisor, start - origin);
  }
  // The mean, since a counter coarser than its own reads shows mostly zero lengths; without the
  // few that an interrupt stretched.
  std::sort(lengths.begin(), lengths.end());
  const std::uint64_t sum =
      std::accumulate(lengths.begin(), lengths.begin() + kUndisturbedReads, std::uint64_t{0});
  overhead_ns_ = static_cast<double>(sum) / kUndisturbedReads * ns_per_tick_;
  resolution_ns_ = static_cast<double>(std::max<std::uint64_t>(divisor, 1)) * ns_per_tick_;
}

std::uint64_t Clock::to_timeline_ns(std::uint64_t ticks) const {
  if (!uses_counter_) {
    return ticks;
  }
  // Before the anchor the difference is negative; long double holds the product exactly enough
  // (64-bit mantissa on x86-64, more on AArch64) for centuries.
  const auto elapsed = static_cast<std::int64_t>(ticks - anchor_ticks_);
  const auto ns =
      std::llroundl(static_cast<long double>(elapsed) * static_cast<long double>(ns_per_tick_));
  return anchor_ns_ + static_cast<std::uint64_t>(ns);
}

ClockInfo Clock::info() const {
  ClockInfo result;
  result.source = uses_counter_ ? CounterReader::name : SystemReader::name;
  result.frequency_hz = 1e9 / ns_per_tick_;
  result.resolution_ns = resolution_ns_;
  result.overhead_ns = overhead_ns_;
  result.reason = reason_;
  if (uses_counter_) {
    const std::int64_t elapsed = static_cast<std::int64_t>(SystemReader::start() - anchor_ns_);
    if (elapsed < kDriftSpanNs) {
      sleep_ns(kDriftSpanNs - elapsed);
    }
    const Pair now = bracketed_pair();
    const double predicted = static_cast<double>(now.ticks - anchor_ticks_) * ns_per_tick_;
    const double actual = static_cast<double>(now.ns - anchor_ns_);
    result.drift_ppm = (predicted / actual - 1) * 1e6;
  }
  return result;
}

}  // namespace stratoperf
