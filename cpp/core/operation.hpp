// C++ face of the operation interface (stratoperf/operation.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "stratoperf/operation.h"

namespace stratoperf {

// Outcome of Operation::verify.
struct Verification {
  std::uint64_t checked = 0;  // outcomes compared with the reference
  bool passed = true;
  std::string message = {};  // what differed, empty when passed
};

// Base of the operations written in C++. Exceptions thrown by run, prepare and verify become the
// error message of the C interface.
class Operation {
 public:
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  virtual ~Operation() = default;

  // n iterations back to back; timed.
  virtual void run(std::uint64_t n) = 0;
  // Called before each run with the same n; not timed.
  virtual void prepare(std::uint64_t /*n*/) {}
  // Checks the outcome of the timed work against the reference; not timed.
  virtual Verification verify() { return {}; }
  // Whether a device does the work, whose clock device_time reads.
  virtual bool has_device_time() const { return false; }
  // n iterations as in run, and the nanoseconds that the device was busy with them.
  virtual double device_time(std::uint64_t /*n*/) { return 0; }

 protected:
  // An operation that can last over 0.1 s polls this and returns early.
  bool stop_requested() const {
    return stop_ != nullptr && __atomic_load_n(stop_, __ATOMIC_RELAXED) != 0;
  }

 private:
  friend void export_operation(std::unique_ptr<Operation>, stratoperf_operation&);
  const std::int32_t* stop_ = nullptr;
};

// Fills the C structure with an operation that it owns from then on; `destroy` deletes it.
// `target` must outlive the operation, since the stop token lives in it.
void export_operation(std::unique_ptr<Operation> operation, stratoperf_operation& target);

}  // namespace stratoperf
