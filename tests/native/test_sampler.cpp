#include <cmath>
#include <ctime>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include "core/histogram.hpp"
#include "core/operation.hpp"
#include "core/sampler.hpp"
#include "doctest.h"

namespace stratoperf {
namespace {

// An operation made of a function, that counts what was asked of it.
class Counted final : public Operation {
 public:
  struct Counts {
    std::uint64_t runs = 0;
    std::uint64_t iterations = 0;
    std::uint64_t prepared = 0;
  };

  Counted(Counts& counts, std::function<void()> body) : counts_(counts), body_(std::move(body)) {}

  void prepare(std::uint64_t n) override { counts_.prepared += n; }
  void run(std::uint64_t n) override {
    ++counts_.runs;
    for (std::uint64_t i = 0; i < n; ++i) {
      ++counts_.iterations;
      body_();
    }
  }

 private:
  Counts& counts_;
  std::function<void()> body_;
};

// Owns the C structure, as a capsule would.
struct Owned {
  explicit Owned(std::unique_ptr<Operation> operation) {
    export_operation(std::move(operation), c);
  }
  ~Owned() { c.destroy(c.state); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  stratoperf_operation c = {};
};

SamplerOptions short_options() {
  SamplerOptions options;
  options.warmup_s = 0.01;
  options.min_samples = 50;
  options.max_duration_s = 0.2;
  options.precision = 0;
  return options;
}

void busy_us(int us) {
  timespec start = {};
  clock_gettime(CLOCK_MONOTONIC, &start);
  timespec now = start;
  while ((now.tv_sec - start.tv_sec) * 1'000'000 + (now.tv_nsec - start.tv_nsec) / 1000 < us) {
    clock_gettime(CLOCK_MONOTONIC, &now);
  }
}

TEST_CASE("every iteration is either warm-up or part of a sample, and is prepared") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] { busy_us(20); }));
  const SampleSeries series = sample(owned.c, short_options());
  CHECK(series.stopped_because == StopReason::max_duration);
  CHECK(series.batch >= 1);
  CHECK(counts.iterations == series.warmup_iterations + series.samples_ns.size() * series.batch);
  CHECK(counts.prepared == counts.iterations);
}

TEST_CASE("samples are the time of one iteration") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] { busy_us(100); }));
  SamplerOptions options = short_options();
  options.batch = 3;
  const SampleSeries series = sample(owned.c, options);
  CHECK(series.batch == 3);
  for (const double ns : series.samples_ns) {
    REQUIRE(ns >= 90'000);
  }
}

TEST_CASE("a short operation is batched until the clock no longer matters") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] {}));
  const SampleSeries series = sample(owned.c, short_options());
  CHECK(series.batch > 10);
}

TEST_CASE("sampling stops once the quantile is known well enough") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] { busy_us(5); }));
  SamplerOptions options = short_options();
  options.precision = 10;  // satisfied by any interval
  options.max_duration_s = 30;
  const SampleSeries series = sample(owned.c, options);
  CHECK(series.stopped_because == StopReason::precision);
  // More than the minimum where samples look correlated, as they do under emulation.
  CHECK(series.samples_ns.size() >= options.min_samples);
}

TEST_CASE("a spread lasts as long as it says, however soon the quantile is known") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] { busy_us(5); }));
  SamplerOptions options = short_options();
  options.precision = 10;
  options.max_duration_s = 30;
  options.spread_s = 0.2;
  options.batch = 1;
  timespec start = {};
  clock_gettime(CLOCK_MONOTONIC, &start);
  const SampleSeries series = sample(owned.c, options);
  timespec stop = {};
  clock_gettime(CLOCK_MONOTONIC, &stop);
  CHECK(series.stopped_because == StopReason::precision);
  const double lasted = static_cast<double>(stop.tv_sec - start.tv_sec) +
                        static_cast<double>(stop.tv_nsec - start.tv_nsec) * 1e-9;
  CHECK(lasted >= 0.2);
  CHECK(counts.iterations == series.warmup_iterations + series.samples_ns.size());
}

TEST_CASE("a spread has at least a sample in each of its windows, unless time is over") {
  for (const auto& [limit_s, least] : {std::pair(30.0, 8U), std::pair(0.1, 2U)}) {
    CAPTURE(limit_s);
    Counted::Counts counts;
    Owned owned(std::make_unique<Counted>(counts, [] { busy_us(50'000); }));
    SamplerOptions options = short_options();
    options.precision = 10;
    options.min_samples = 1;
    options.max_duration_s = limit_s;
    options.spread_s = 0.1;
    options.batch = 1;
    CHECK(sample(owned.c, options).samples_ns.size() >= least);
  }
}

TEST_CASE("a spread keeps a bounded number of samples, of every window") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] {}));
  SamplerOptions options = short_options();
  options.precision = 10;
  options.max_duration_s = 30;
  options.spread_s = 1;
  options.batch = 1;
  const SampleSeries series = sample(owned.c, options);
  CHECK(series.stopped_because == StopReason::precision);
  CHECK(series.samples_ns.size() <= std::size_t{8} << 16);
  CHECK(counts.iterations >= series.warmup_iterations + series.samples_ns.size());
}

TEST_CASE("time wins over the minimum of samples") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] { busy_us(20'000); }));
  const SampleSeries series = sample(owned.c, short_options());
  CHECK(series.stopped_because == StopReason::max_duration);
  CHECK(series.samples_ns.size() < 50);
  CHECK(!series.samples_ns.empty());
}

TEST_CASE("iterations that are limited are not exceeded, nor used up by the warm-up") {
  for (const std::uint64_t limit : {std::uint64_t{2}, std::uint64_t{30}, std::uint64_t{400}}) {
    CAPTURE(limit);
    Counted::Counts counts;
    Owned owned(std::make_unique<Counted>(counts, [] { busy_us(20); }));
    SamplerOptions options = short_options();
    options.warmup_s = 30;
    options.max_duration_s = 30;
    options.batch = 1;
    options.max_iterations = limit;
    const SampleSeries series = sample(owned.c, options);
    CHECK(series.stopped_because == StopReason::max_iterations);
    CHECK(counts.iterations == limit);
    CHECK(series.samples_ns.size() >= limit * 9 / 10);
  }
}

TEST_CASE("samples that are limited are not exceeded, whatever the precision asks for") {
  for (const std::uint64_t limit : {std::uint64_t{1}, std::uint64_t{7}, std::uint64_t{20'000}}) {
    CAPTURE(limit);
    Counted::Counts counts;
    Owned owned(std::make_unique<Counted>(counts, [] {}));
    SamplerOptions options = short_options();
    options.max_duration_s = 30;
    options.precision = 0;
    options.batch = 2;
    options.max_samples = limit;
    const SampleSeries series = sample(owned.c, options);
    CHECK(series.stopped_because == StopReason::max_samples);
    CHECK(series.samples_ns.size() == limit);
  }
}

TEST_CASE("a limit of samples that is not reached changes nothing") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] { busy_us(20); }));
  SamplerOptions options = short_options();
  options.batch = 1;
  options.max_iterations = 100;
  options.max_samples = 1000;
  CHECK(sample(owned.c, options).stopped_because == StopReason::max_iterations);
}

TEST_CASE("a failing operation ends the measurement with its message") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [&counts] {
    if (counts.iterations > 1000) {
      throw std::runtime_error("out of votes");
    }
  }));
  const SampleSeries series = sample(owned.c, short_options());
  CHECK(series.stopped_because == StopReason::failed);
  CHECK(series.error == "out of votes");
}

TEST_CASE("the stop token ends the measurement from another thread and drops the cut sample") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] { busy_us(1000); }));
  SamplerOptions options = short_options();
  options.max_duration_s = 60;
  options.batch = 1;
  std::thread stopper([&owned] {
    busy_us(100'000);
    __atomic_store_n(&owned.c.stop, 1, __ATOMIC_RELAXED);
  });
  const SampleSeries series = sample(owned.c, options);
  stopper.join();
  CHECK(series.stopped_because == StopReason::interrupted);
  CHECK(counts.iterations == series.warmup_iterations + series.samples_ns.size() + 1);
}

TEST_CASE("a stop that came before the first iteration is not forgotten") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] {}));
  SamplerOptions options = short_options();
  options.batch = 1;
  owned.c.stop = 1;
  const SampleSeries series = sample(owned.c, options);
  CHECK(series.stopped_because == StopReason::interrupted);
  CHECK(series.samples_ns.empty());
  CHECK(counts.iterations == 1);
}

TEST_CASE("with a histogram, all samples are counted there and none is kept") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] { busy_us(10); }));
  Histogram histogram({1, std::uint64_t{1} << 50, 3});
  SamplerOptions options = short_options();
  options.batch = 2;
  const SampleSeries series = sample(owned.c, options, &histogram);
  CHECK(series.samples_ns.empty());
  CHECK(counts.iterations == series.warmup_iterations + histogram.count() * 2);
}

TEST_CASE("options out of range are refused by name") {
  Counted::Counts counts;
  Owned owned(std::make_unique<Counted>(counts, [] {}));
  SamplerOptions options;
  options.warmup_s = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(sample(owned.c, options), std::invalid_argument);
  options = {};
  options.spread_s = -1;
  CHECK_THROWS_AS(sample(owned.c, options), std::invalid_argument);
  options = {};
  options.max_duration_s = 0;
  CHECK_THROWS_AS(sample(owned.c, options), std::invalid_argument);
  options = {};
  options.quantile = 1;
  CHECK_THROWS_AS(sample(owned.c, options), std::invalid_argument);
  options = {};
  options.min_samples = 0;
  CHECK_THROWS_AS(sample(owned.c, options), std::invalid_argument);
}

}  // namespace
}  // namespace stratoperf
