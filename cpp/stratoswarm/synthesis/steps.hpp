// What an operation does in one iteration: one step, or several one after the other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/operation.hpp"

namespace stratoperf::synthesis {

// Asked now and then whether to end early; may be empty.
using Stop = std::function<bool()>;

// A piece of work that keeps its last outcome for whoever checks it.
class Step {
 public:
  Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  virtual ~Step() = default;

  // Does it once. After `stop` returned true the outcome is incomplete.
  virtual void run(const Stop& stop) = 0;
};

// The last outcome of a step. Shared with whoever checks it, who reads it only while the operation
// does not run.
template <typename Outcome>
struct Last {
  Outcome outcome = {};
  bool complete = false;
};

class StepsOperation final : public Operation {
 public:
  explicit StepsOperation(std::vector<std::unique_ptr<Step>> steps);

  void run(std::uint64_t n) override;

 private:
  std::vector<std::unique_ptr<Step>> steps_;
  Stop stop_;
};

}  // namespace stratoperf::synthesis
