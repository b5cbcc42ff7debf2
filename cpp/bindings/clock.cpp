#include "core/clock.hpp"

#include <memory>
#include <utility>

#include "bindings/bindings.hpp"

namespace stratoperf::bindings {
namespace {

// Reads the clock once an iteration: its latency is the cost of one read.
class ReadClock final : public Operation {
 public:
  void run(std::uint64_t n) override {
    if (uses_counter_) {
      for (std::uint64_t i = 0; i < n; ++i) {
        last_ = CounterReader::start();
      }
    } else {
      for (std::uint64_t i = 0; i < n; ++i) {
        last_ = SystemReader::start();
      }
    }
    backwards_ += last_ < previous_ ? 1U : 0U;
    previous_ = last_;
    ++runs_;
  }

  Verification verify() override {
    return {runs_, backwards_ == 0, backwards_ == 0 ? "" : "the clock went backwards"};
  }

 private:
  const bool uses_counter_ = Clock::instance().uses_counter();
  std::uint64_t last_ = 0;
  std::uint64_t previous_ = 0;
  std::uint64_t runs_ = 0;
  std::uint64_t backwards_ = 0;
};

}  // namespace

void register_clock(py::module_ module) {
  py::class_<ClockInfo>(module, "ClockInfo")
      .def_readonly("source", &ClockInfo::source)
      .def_readonly("frequency_hz", &ClockInfo::frequency_hz)
      .def_readonly("resolution_ns", &ClockInfo::resolution_ns)
      .def_readonly("overhead_ns", &ClockInfo::overhead_ns)
      .def_readonly("drift_ppm", &ClockInfo::drift_ppm)
      .def_readonly("reason", &ClockInfo::reason);

  module.def(
      "now_ns", [] { return Clock::instance().now_ns(); },
      "Nanoseconds on the timeline of CLOCK_MONOTONIC_RAW.");
  module.def(
      "info",
      [] {
        const py::gil_scoped_release release;
        return Clock::instance().info();
      },
      "What is known of the clock; waits up to 50 ms for the drift.");
  module.def(
      "read_operation", [] { return operation_capsule(std::make_unique<ReadClock>(), py::none()); },
      "An operation that reads the clock once an iteration.");
}

}  // namespace stratoperf::bindings
