// One interface to the best clock of the machine, calibrated against CLOCK_MONOTONIC_RAW.
//
// Sources, best first: the invariant time-stamp counter (x86-64), the virtual counter cntvct_el0
// (AArch64), and clock_gettime(CLOCK_MONOTONIC_RAW), whose ticks are nanoseconds.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace stratoperf {

// The processor's counter. start() and stop() bracket a timed region: no instruction of the
// region moves out of it, and none of the surrounding code moves in.
struct CounterReader {
#if defined(__x86_64__)
  static constexpr std::string_view name = "tsc";
  // LFENCE waits until all earlier instructions have completed, and holds back later ones
  // (Intel SDM vol. 2B, "RDTSC"; AMD64 APM vol. 3 with LFENCE dispatch-serializing, as Linux sets
  // it).
  static std::uint64_t start() {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    asm volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (static_cast<std::uint64_t>(high) << 32) | low;
  }
  // RDTSCP waits for all earlier instructions by itself.
  static std::uint64_t stop() {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    asm volatile("rdtscp\n\tlfence" : "=a"(low), "=d"(high)::"rcx", "memory");
    return (static_cast<std::uint64_t>(high) << 32) | low;
  }
#elif defined(__aarch64__)
  static constexpr std::string_view name = "cntvct_el0";
  // ISB keeps the counter read from being executed early (Arm ARM, D11 "The Generic Timer").
  static std::uint64_t start() {
    std::uint64_t ticks = 0;
    asm volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks)::"memory");
    return ticks;
  }
  static std::uint64_t stop() { return start(); }
#else
#error "stratoperf supports x86-64 and AArch64"
#endif
};

// The system call (a vDSO read on most machines).
struct SystemReader {
  static constexpr std::string_view name = "clock_gettime";
  static std::uint64_t start() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec);
  }
  static std::uint64_t stop() { return start(); }
};

// What is known of the clock; durations in nanoseconds.
struct ClockInfo {
  std::string source = {};
  double frequency_hz = 0;   // calibrated ticks per second
  double resolution_ns = 0;  // greatest common divisor of the observed tick differences
  double overhead_ns = 0;    // mean length that an empty timed region shows
  double drift_ppm = 0;      // deviation from CLOCK_MONOTONIC_RAW since the calibration
  std::string reason = {};   // why this source was chosen
};

class Clock {
 public:
  // The clock of this process, chosen and calibrated (20 to 200 ms) on first use. The environment
  // variable STRATOPERF_CLOCK=clock_gettime forces the fall-back. Throws std::invalid_argument for
  // another value of it than "auto", "counter" and "clock_gettime".
  static const Clock& instance();

  bool uses_counter() const { return uses_counter_; }
  double ns_per_tick() const { return ns_per_tick_; }
  double resolution_ns() const { return resolution_ns_; }
  double overhead_ns() const { return overhead_ns_; }

  std::uint64_t ticks() const {
    return uses_counter_ ? CounterReader::start() : SystemReader::start();
  }

  // Nanoseconds on the timeline of CLOCK_MONOTONIC_RAW.
  std::uint64_t now_ns() const { return to_timeline_ns(ticks()); }

  // A tick count of this clock as a point on that timeline.
  std::uint64_t to_timeline_ns(std::uint64_t ticks) const;

  // Measures the residual drift over at least 50 ms since the calibration (waits if need be).
  ClockInfo info() const;

 private:
  explicit Clock(std::string_view requested);
  bool calibrate();
  void measure_resolution_and_overhead();

  bool uses_counter_ = false;
  double ns_per_tick_ = 1;
  std::uint64_t anchor_ticks_ = 0;
  std::uint64_t anchor_ns_ = 0;
  double resolution_ns_ = 0;
  double overhead_ns_ = 0;
  std::string reason_ = {};
};

}  // namespace stratoperf
