#include "core/sampler.hpp"

#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "core/clock.hpp"
#include "core/histogram.hpp"
#include "core/quantile.hpp"

namespace stratoperf {
namespace {

// A batch lasts at least this many empty timed regions, so that reading the clock makes up at
// most about 1 % of a sample.
constexpr double kOverheadsPerBatch = 100.0;

// And at least this many steps of the clock, so that rounding stays below 1 % as well.
constexpr double kResolutionsPerBatch = 100.0;

constexpr std::uint64_t kMaxBatch = std::uint64_t{1} << 32;

// Runs that fix the batch at the end of the warm-up; the shortest counts, since noise only adds.
constexpr int kCalibrationRuns = 16;

// Samples between two looks at the buffers: small enough to stay in the second-level cache.
constexpr std::size_t kBlock = 8192;

// A spread is cut into this many windows: their order statistics bound a median at 95 %.
constexpr int kWindows = 8;

// Samples kept in a window of a spread: all, where the batch is calibrated and reading the clock
// takes 20 ns. Together they fill 4 MB, and their statistics take some milliseconds.
constexpr std::size_t kMostInWindow = std::size_t{1} << 16;

// The precision is looked at each time the series has grown by this factor, which bounds the time
// that the looks take to a small multiple of the last one.
constexpr double kGrowth = 1.5;

// Room made at once for the expected samples: 64 MB of addresses, of which only what is written
// becomes memory.
constexpr std::size_t kReserveAtOnce = std::size_t{1} << 23;

// The share of a limited number of iterations that the warm-up may take.
constexpr std::uint64_t kWarmupShare = 10;

enum class Outcome { go_on, out_of_time, used_up, full, stopped, failed };

class Session {
 public:
  Session(stratoperf_operation& operation, const SamplerOptions& options, Histogram* histogram)
      : operation_(operation),
        options_(options),
        histogram_(histogram),
        clock_(Clock::instance()) {}

  template <typename Reader>
  SampleSeries run() {
    Outcome outcome = warm_up<Reader>();
    if (outcome == Outcome::go_on) {
      outcome = take_samples<Reader>();
    }
    switch (outcome) {
      case Outcome::go_on:
        series_.stopped_because = StopReason::precision;
        break;
      case Outcome::out_of_time:
        series_.stopped_because = StopReason::max_duration;
        break;
      case Outcome::used_up:
        series_.stopped_because = StopReason::max_iterations;
        break;
      case Outcome::full:
        series_.stopped_because = StopReason::max_samples;
        break;
      case Outcome::stopped:
        series_.stopped_because = StopReason::interrupted;
        break;
      case Outcome::failed:
        series_.stopped_because = StopReason::failed;
        series_.error = operation_.message != nullptr ? operation_.message(operation_.state) : "";
        break;
    }
    return std::move(series_);
  }

 private:
  bool stop_requested() const { return __atomic_load_n(&operation_.stop, __ATOMIC_RELAXED) != 0; }

  std::uint64_t iterations_allowed() const {
    return options_.max_iterations != 0 ? options_.max_iterations
                                        : std::numeric_limits<std::uint64_t>::max();
  }

  std::uint64_t ticks_in(double seconds) const {
    const double ticks = seconds * 1e9 / clock_.ns_per_tick();
    constexpr double kLimit = 9e18;  // far beyond any measurement, and fits the counter
    return static_cast<std::uint64_t>(std::min(ticks, kLimit));
  }

  // The windows of a spread that are still to come, the current one first.
  class Windows {
   public:
    Windows(const Session& session, std::uint64_t begin)
        : length_(session.ticks_in(
                      std::min(session.options_.spread_s, session.options_.max_duration_s)) /
                  kWindows),
          end_(begin + length_),
          // What is limited is not wasted.
          drops_(session.options_.max_iterations == 0) {
      if (session.histogram_ == nullptr && session.options_.precision > 0 && length_ > 0) {
        left_ = kWindows;
      }
    }

    int left() const { return left_; }
    std::uint64_t end() const { return end_; }

    // How many of the samples taken next in this window are kept.
    std::size_t kept(std::size_t taken) {
      if (left_ == 0 || !drops_) {
        return taken;
      }
      const std::size_t kept = std::min(taken, room_);
      room_ -= kept;
      return kept;
    }

    void next() {
      --left_;
      end_ += length_;
      room_ = kMostInWindow;
    }

   private:
    std::uint64_t length_;
    std::uint64_t end_;
    bool drops_;
    int left_ = 0;
    std::size_t room_ = kMostInWindow;
  };

  // One timed run of n iterations.
  template <typename Reader>
  Outcome timed(std::uint64_t n, std::uint64_t& start, std::uint64_t& stop) {
    if (operation_.prepare != nullptr && operation_.prepare(operation_.state, n) != 0) {
      return Outcome::failed;
    }
    start = Reader::start();
    const int failed = operation_.run(operation_.state, n);
    stop = Reader::stop();
    if (stop_requested()) {
      return Outcome::stopped;
    }
    return failed != 0 ? Outcome::failed : Outcome::go_on;
  }

  template <typename Reader>
  Outcome warm_up() {
    const std::uint64_t begin = Reader::start();
    const std::uint64_t deadline = begin + ticks_in(options_.warmup_s);
    const double wanted = options_.batch != 0
                              ? 0
                              : std::max(kOverheadsPerBatch * clock_.overhead_ns(),
                                         kResolutionsPerBatch * clock_.resolution_ns()) /
                                    clock_.ns_per_tick();
    std::uint64_t n = std::max<std::uint64_t>(options_.batch, 1);
    std::uint64_t start = 0;
    std::uint64_t stop = 0;
    const std::uint64_t allowed = std::max<std::uint64_t>(iterations_allowed() / kWarmupShare, 1);
    do {
      const Outcome outcome = timed<Reader>(n, start, stop);
      if (outcome != Outcome::go_on) {
        return outcome;
      }
      series_.warmup_iterations += n;
      if (static_cast<double>(stop - start) < wanted && n < kMaxBatch) {
        n *= 2;
      }
    } while (series_.warmup_iterations < allowed &&
             (stop < deadline || (static_cast<double>(stop - start) < wanted && n < kMaxBatch)));

    series_.batch = n;
    if (options_.batch == 0 && series_.warmup_iterations < allowed) {
      const Outcome outcome = calibrate_batch<Reader>(n, wanted);
      if (outcome != Outcome::go_on) {
        return outcome;
      }
    }
    series_.warmup_s = static_cast<double>(Reader::stop() - begin) * clock_.ns_per_tick() * 1e-9;
    return Outcome::go_on;
  }

  // The first doubling met the operation cold; now that it is warm, n may be more than needed, or
  // too few.
  template <typename Reader>
  Outcome calibrate_batch(std::uint64_t n, double wanted) {
    double shortest = std::numeric_limits<double>::max();
    double spent = 0;
    for (int i = 0; i < kCalibrationRuns && (i == 0 || spent < kCalibrationRuns * wanted); ++i) {
      std::uint64_t start = 0;
      std::uint64_t stop = 0;
      const Outcome outcome = timed<Reader>(n, start, stop);
      if (outcome != Outcome::go_on) {
        return outcome;
      }
      series_.warmup_iterations += n;
      const double length = static_cast<double>(stop - start);
      spent += length;
      shortest = std::min(shortest, length);
    }
    const double per_iteration = std::max(shortest, 1.0) / static_cast<double>(n);
    const double batch = std::ceil(wanted / per_iteration);
    series_.batch =
        static_cast<std::uint64_t>(std::clamp(batch, 1.0, static_cast<double>(kMaxBatch)));
    return Outcome::go_on;
  }

  template <typename Reader>
  Outcome take_samples() {
    std::size_t next_look = static_cast<std::size_t>(options_.min_samples);
    const std::uint64_t begin = Reader::start();
    const std::uint64_t deadline = begin + ticks_in(options_.max_duration_s);
    series_.started_ns = clock_.to_timeline_ns(begin);
    // At least one sample, or there would be nothing to tell.
    std::uint64_t left = std::max<std::uint64_t>(
        (iterations_allowed() - std::min(iterations_allowed(), series_.warmup_iterations)) /
            series_.batch,
        1);
    const bool can_be_full =
        histogram_ == nullptr && options_.max_samples != 0 && options_.max_samples < left;
    if (can_be_full) {
      left = options_.max_samples;
    }
    Windows windows(*this, begin);
    for (;;) {
      const std::size_t wanted = histogram_ != nullptr || windows.left() > 0
                                     ? kBlock
                                     : std::min(kBlock, next_look - series_.samples_ns.size());
      const std::size_t room = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, left));
      if (histogram_ == nullptr && series_.samples_ns.capacity() < next_look &&
          series_.samples_ns.capacity() - series_.samples_ns.size() < room) {
        reserve(next_look, begin, Reader::start());
      }
      std::size_t taken = 0;
      const std::uint64_t until = windows.left() > 0 ? std::min(windows.end(), deadline) : deadline;
      Outcome outcome = take_block<Reader>(room, until, taken);
      const std::size_t kept = windows.kept(taken);
      store(kept);
      left -= kept;
      if (outcome == Outcome::out_of_time && windows.left() > 0 && Reader::start() < deadline) {
        outcome = Outcome::go_on;
        windows.next();
      }
      if (outcome != Outcome::go_on) {
        return outcome;
      }
      if (histogram_ == nullptr && windows.left() == 0 && series_.samples_ns.size() >= next_look) {
        if (precise_enough()) {
          return Outcome::go_on;
        }
        next_look =
            static_cast<std::size_t>(static_cast<double>(series_.samples_ns.size()) * kGrowth) + 1;
      }
      if (left == 0) {
        return can_be_full ? Outcome::full : Outcome::used_up;
      }
    }
  }

  // Room for the next samples, or at once for all that the remaining time will hold at the rate so
  // far: growing step by step would copy them again and again.
  void reserve(std::size_t wanted, std::uint64_t begin, std::uint64_t now) {
    const double elapsed = static_cast<double>(now - begin) * clock_.ns_per_tick() * 1e-9;
    const double expected = static_cast<double>(series_.samples_ns.size()) *
                            std::min(options_.max_duration_s / std::max(elapsed, 1e-9), 1e6);
    const std::size_t bounded = std::min(kReserveAtOnce, static_cast<std::size_t>(expected));
    // What is wanted, too, may never come: the time can end first.
    series_.samples_ns.reserve(std::max(bounded, std::min(wanted, kReserveAtOnce)));
  }

  // The timed loop. Everything it needs is in local variables, since each ordered clock read waits
  // for the loads before it.
  template <typename Reader>
  Outcome take_block(std::size_t room, std::uint64_t deadline, std::size_t& taken) {
    const auto prepare = operation_.prepare;
    const auto work = operation_.run;
    void* const state = operation_.state;
    const std::uint64_t batch = series_.batch;
    std::uint64_t* const block = block_.data();
    Outcome outcome = Outcome::go_on;
    std::size_t i = 0;
    while (i < room) {
      if (prepare != nullptr && prepare(state, batch) != 0) {
        outcome = Outcome::failed;
        break;
      }
      const std::uint64_t start = Reader::start();
      const int failed = work(state, batch);
      const std::uint64_t stop = Reader::stop();
      if (stop_requested() || failed != 0) [[unlikely]] {
        outcome = stop_requested() ? Outcome::stopped : Outcome::failed;
        break;
      }
      block[i++] = stop - start;
      if (stop >= deadline) [[unlikely]] {
        outcome = Outcome::out_of_time;
        break;
      }
    }
    taken = i;
    return outcome;
  }

  void store(std::size_t taken) {
    const double scale = clock_.ns_per_tick() / static_cast<double>(series_.batch);
    if (histogram_ != nullptr) {
      for (std::size_t i = 0; i < taken; ++i) {
        const double picoseconds = static_cast<double>(block_[i]) * scale * 1000;
        histogram_->record(static_cast<std::uint64_t>(std::llround(picoseconds)));
      }
      return;
    }
    const std::size_t before = series_.samples_ns.size();
    series_.samples_ns.resize(before + taken);
    std::transform(block_.begin(), block_.begin() + static_cast<std::ptrdiff_t>(taken),
                   series_.samples_ns.begin() + static_cast<std::ptrdiff_t>(before),
                   [scale](std::uint64_t ticks) { return static_cast<double>(ticks) * scale; });
  }

  bool precise_enough() const {
    if (options_.precision <= 0) {
      return false;
    }
    const Interval interval =
        quantile_interval(series_.samples_ns, options_.quantile, options_.confidence);
    return interval.low && interval.high &&
           (*interval.high - *interval.low) / 2 <= options_.precision * interval.value;
  }

  stratoperf_operation& operation_;
  const SamplerOptions& options_;
  Histogram* histogram_;
  const Clock& clock_;
  SampleSeries series_ = {};
  // On the heap: threads can have stacks of 64 KB, and a measured callable can measure.
  std::vector<std::uint64_t> block_ = std::vector<std::uint64_t>(kBlock);
};

// How deep measurements may nest on a thread. Each takes some kilobytes of its stack.
constexpr unsigned kMaxNesting = 8;

// What a nested measurement and the callable in it need of the stack.
constexpr std::size_t kStackOfNested = std::size_t{24} << 10;

// Bytes of the calling thread's stack that are still free.
std::size_t free_stack() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
    return std::numeric_limits<std::size_t>::max();
  }
  void* lowest = nullptr;
  std::size_t size = 0;
  pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  const char here = 0;
  return static_cast<std::size_t>(&here - static_cast<const char*>(lowest));
}

// A measurement within others on the same thread.
class Nesting {
 public:
  Nesting() {
    if (depth == kMaxNesting || (depth > 0 && free_stack() < kStackOfNested)) {
      throw std::invalid_argument(
          "work: " + std::to_string(depth) +
          " measurements contain each other on this thread, and there is no room for another; "
          "measure at most " +
          std::to_string(kMaxNesting) +
          " deep, and on a thread with a larger stack (does the callable measure itself?)");
    }
    ++depth;
  }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
  ~Nesting() { --depth; }

 private:
  static thread_local unsigned depth;
};

thread_local unsigned Nesting::depth = 0;

void require(bool holds, const char* message) {
  if (!holds) {
    throw std::invalid_argument(message);
  }
}

}  // namespace

std::string_view to_string(StopReason reason) {
  switch (reason) {
    case StopReason::precision:
      return "precision";
    case StopReason::max_duration:
      return "max_duration";
    case StopReason::max_iterations:
      return "max_iterations";
    case StopReason::max_samples:
      return "max_samples";
    case StopReason::interrupted:
      return "interrupted";
    case StopReason::failed:
      break;
  }
  return "failed";
}

SampleSeries sample(stratoperf_operation& operation, const SamplerOptions& options,
                    Histogram* histogram) {
  require(options.warmup_s >= 0, "warmup_s: must be at least 0");
  require(options.max_duration_s > 0, "max_duration_s: must be above 0");
  require(options.spread_s >= 0, "spread_s: must be at least 0");
  require(options.precision >= 0, "precision: must be at least 0");
  require(options.quantile > 0 && options.quantile < 1, "quantile: must lie between 0 and 1");
  require(options.confidence > 0 && options.confidence < 1, "confidence: must lie between 0 and 1");
  require(options.min_samples >= 1, "min_iterations: must be at least 1");
  require(options.batch <= kMaxBatch, "batch: must be at most 2**32");
  const Nesting nesting;
  Session session(operation, options, histogram);
  return Clock::instance().uses_counter() ? session.run<CounterReader>()
                                          : session.run<SystemReader>();
}

}  // namespace stratoperf
