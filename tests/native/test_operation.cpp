#include <doctest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "core/device_times.hpp"
#include "core/operation.hpp"

namespace {

using stratoperf::Operation;
using stratoperf::Verification;

// What a test observes of an operation that it gave away.
struct Log {
  std::uint64_t iterations = 0;
  std::uint64_t prepared = 0;
  int destroyed = 0;
};

class Recorder final : public Operation {
 public:
  explicit Recorder(Log& log) : log_(log) {}
  ~Recorder() override { ++log_.destroyed; }
  void run(std::uint64_t n) override {
    on_run();
    log_.iterations += n;
  }
  void prepare(std::uint64_t n) override {
    on_prepare();
    log_.prepared += n;
  }
  Verification verify() override { return on_verify(); }

  std::function<void()> on_run = [] {};
  std::function<void()> on_prepare = [] {};
  std::function<Verification()> on_verify = [] { return Verification{}; };

 private:
  Log& log_;
};

// Spins until the stop token is set, as a long native loop should.
class Endless final : public Operation {
 public:
  explicit Endless(std::atomic<bool>& running) : running_(running) {}
  void run(std::uint64_t /*n*/) override {
    running_ = true;
    while (!stop_requested()) {
      std::this_thread::yield();
    }
  }

 private:
  std::atomic<bool>& running_;
};

// The exported C structure of a Recorder, destroyed at the end of the test.
class Exported {
 public:
  Exported() {
    auto owned = std::make_unique<Recorder>(log);
    recorder = owned.get();
    stratoperf::export_operation(std::move(owned), operation);
  }
  Exported(const Exported&) = delete;
  Exported& operator=(const Exported&) = delete;
  ~Exported() { operation.destroy(operation.state); }

  int run(std::uint64_t n) { return operation.run(operation.state, n); }
  int prepare(std::uint64_t n) { return operation.prepare(operation.state, n); }
  int verify(std::uint64_t& checked) { return operation.verify(operation.state, &checked); }
  std::string message() { return operation.message(operation.state); }

  Log log;
  Recorder* recorder = nullptr;
  stratoperf_operation operation = {};
};

// Says that a device was busy for 5 ns an iteration; asks to stop after so many calls.
class OnDevice final : public stratoperf::Operation {
 public:
  explicit OnDevice(std::int32_t& stop, int calls) : stop_(stop), calls_(calls) {}
  void run(std::uint64_t /*n*/) override {}
  bool has_device_time() const override { return true; }
  double device_time(std::uint64_t n) override {
    __atomic_store_n(&stop_, --calls_ == 0, __ATOMIC_RELAXED);
    return 5.0 * static_cast<double>(n);
  }

 private:
  std::int32_t& stop_;
  int calls_;
};

TEST_CASE("device times are taken until there are enough, or the token says stop") {
  for (const int calls : {3, 100}) {
    stratoperf_operation operation = {};
    stratoperf::export_operation(std::make_unique<OnDevice>(operation.stop, calls), operation);
    REQUIRE(stratoperf::has_device_time(operation));
    const auto times = stratoperf::device_times(operation, 4, 10, 60.0);
    CHECK(times.interrupted == (calls == 3));
    CHECK(times.samples_ns == std::vector<double>(calls == 3 ? 2 : 10, 5.0));
    CHECK(times.error == "");
    // What a producer of the first version of the header hands over ends before the function.
    operation.struct_size = stratoperf::kSmallestOperation;
    CHECK_FALSE(stratoperf::has_device_time(operation));
    operation.destroy(operation.state);
  }
}

}  // namespace

TEST_CASE("an exported operation states the size of its structure and starts unstopped") {
  Exported exported;
  CHECK(exported.operation.struct_size == sizeof(stratoperf_operation));
  CHECK(exported.operation.stop == 0);
  CHECK(exported.operation.state != nullptr);
}

TEST_CASE("run and prepare pass the number of iterations on") {
  Exported exported;
  CHECK(exported.prepare(3) == 0);
  CHECK(exported.run(3) == 0);
  CHECK(exported.run(4) == 0);
  CHECK(exported.log.prepared == 3);
  CHECK(exported.log.iterations == 7);
}

TEST_CASE("an exception in run or prepare becomes an error with its message") {
  Exported exported;
  exported.recorder->on_run = [] { throw std::runtime_error("device is gone"); };
  exported.recorder->on_prepare = [] { throw std::out_of_range("batch 7 of 4"); };
  CHECK(exported.run(1) != 0);
  CHECK(exported.message() == "device is gone");
  CHECK(exported.prepare(1) != 0);
  CHECK(exported.message() == "batch 7 of 4");
  CHECK(exported.log.iterations == 0);
}

TEST_CASE("an exception that is no std::exception does not cross the C interface") {
  Exported exported;
  exported.recorder->on_run = [] { throw 42; };
  CHECK(exported.run(1) != 0);
  CHECK(exported.message() == "unknown C++ exception");
}

TEST_CASE("an operation works again after an error") {
  Exported exported;
  exported.recorder->on_run = [] { throw std::runtime_error("once"); };
  CHECK(exported.run(1) != 0);
  exported.recorder->on_run = [] {};
  CHECK(exported.run(5) == 0);
  CHECK(exported.log.iterations == 5);
}

TEST_CASE("verify reports how many outcomes it checked") {
  Exported exported;
  exported.recorder->on_verify = [] { return Verification{12, true, {}}; };
  std::uint64_t checked = 0;
  CHECK(exported.verify(checked) == 0);
  CHECK(checked == 12);
}

TEST_CASE("a failed verification says what differed and still counts the checks") {
  Exported exported;
  exported.recorder->on_verify = [] { return Verification{3, false, "proposal 2: no quorum"}; };
  std::uint64_t checked = 0;
  CHECK(exported.verify(checked) != 0);
  CHECK(checked == 3);
  CHECK(exported.message() == "proposal 2: no quorum");
}

TEST_CASE("an exception in verify is a failure, not a crash") {
  Exported exported;
  exported.recorder->on_verify = []() -> Verification { throw std::runtime_error("no reference"); };
  std::uint64_t checked = 0;
  CHECK(exported.verify(checked) != 0);
  CHECK(checked == 0);
  CHECK(exported.message() == "no reference");
}

TEST_CASE("an operation without prepare and verify of its own passes both") {
  std::atomic<bool> running = false;
  stratoperf_operation operation = {};
  stratoperf::export_operation(std::make_unique<Endless>(running), operation);
  std::uint64_t checked = 1;
  CHECK(operation.prepare(operation.state, 1) == 0);
  CHECK(operation.verify(operation.state, &checked) == 0);
  CHECK(checked == 0);
  operation.destroy(operation.state);
}

TEST_CASE("setting the stop token ends a long run from another thread") {
  std::atomic<bool> running = false;
  stratoperf_operation operation = {};
  stratoperf::export_operation(std::make_unique<Endless>(running), operation);
  int outcome = -1;
  std::thread worker([&] { outcome = operation.run(operation.state, 1); });
  while (!running) {
    std::this_thread::yield();
  }
  __atomic_store_n(&operation.stop, 1, __ATOMIC_RELAXED);
  worker.join();
  CHECK(outcome == 0);
  operation.destroy(operation.state);
}

TEST_CASE("exporting over a stopped structure resets its stop token") {
  Log log;
  stratoperf_operation operation = {};
  operation.stop = 1;
  stratoperf::export_operation(std::make_unique<Recorder>(log), operation);
  CHECK(operation.stop == 0);
  operation.destroy(operation.state);
}

TEST_CASE("destroy deletes the operation exactly once") {
  Log log;
  stratoperf_operation operation = {};
  stratoperf::export_operation(std::make_unique<Recorder>(log), operation);
  CHECK(log.destroyed == 0);
  operation.destroy(operation.state);
  CHECK(log.destroyed == 1);
}
