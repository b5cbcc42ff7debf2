// Times an operation: warm-up, calibrated batching, then samples until a quantile is known well
// enough or time runs out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stratoperf/operation.h"

namespace stratoperf {

class Histogram;

struct SamplerOptions {
  double warmup_s = 1.0;
  std::uint64_t min_samples = 1000;  // before the precision is looked at
  double max_duration_s = 10.0;      // of the sampling, without the warm-up
  double precision = 0.02;   // wanted relative half-width of the interval; 0: never stop early
  double quantile = 0.5;     // the quantile that the precision speaks of
  double confidence = 0.95;  // of its interval
  std::uint64_t batch = 0;   // iterations per sample; 0: calibrated
  // Iterations at most, those of the warm-up included; 0: as many as there is time for. For work
  // that uses something up: the warm-up then takes at most a tenth of them.
  std::uint64_t max_iterations = 0;
  std::uint64_t max_samples = 0;  // kept at most; 0: as many as there is time for
  // Seconds of sampling before the precision is looked at, as far as max_duration_s allows: what
  // drifts shows only to samples that are spread over time. They are cut into windows, and a window
  // that overflows runs on without keeping more samples, so that their number is bounded.
  double spread_s = 0;
};

enum class StopReason { precision, max_duration, max_iterations, max_samples, interrupted, failed };

std::string_view to_string(StopReason reason);

struct SampleSeries {
  std::vector<double> samples_ns;  // per iteration, one per timed batch, in the order taken
  std::uint64_t batch = 1;         // iterations per sample
  std::uint64_t started_ns = 0;    // CLOCK_MONOTONIC_RAW at the first sample
  double warmup_s = 0;
  std::uint64_t warmup_iterations = 0;
  StopReason stopped_because = StopReason::failed;
  std::string error = {};  // the operation's message, when it failed
};

// Samples the operation on the calling thread. Between one clock read and the next nothing runs
// but the operation: buffers grow and the precision is checked between blocks of samples.
//
// With a spread the operation runs without a pause: its caches and the processor's frequency would
// not survive one. A spread needs a precision above 0; without one all samples are kept anyway.
//
// With a histogram every sample is recorded there in picoseconds instead of being kept, so that
// memory stays constant; the precision is then not looked at.
//
// Setting operation.stop from any thread or signal handler ends the measurement; the sample that
// was cut short is dropped. The token is not cleared here: Ctrl-C can come before the first
// iteration, while the clock is calibrated. Throws std::invalid_argument for options out of range,
// and where measurements nest too deep.
SampleSeries sample(stratoperf_operation& operation, const SamplerOptions& options,
                    Histogram* histogram = nullptr);

}  // namespace stratoperf
