// Quorum rounds on a device as operations for the sampler.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/operation.hpp"
#include "cuda/stratoswarm/consensus/calibration.hpp"
#include "cuda/stratoswarm/consensus/engine.hpp"

namespace stratoperf::cuda::consensus {

// The batches that an operation rotates through, in slots of their own, and the last outcome of
// each. Shared with whoever checks the outcomes, who reads them only while the operation does not
// run.
struct Rotation {
  // Throws as Engine does, and std::invalid_argument when there is no batch, or one that is too
  // large.
  Rotation(const Settings& settings, const std::vector<Votes>& batches, Source source);

  Engine engine;
  std::vector<std::uint64_t> counts;
  std::vector<bool> decided;  // whether a slot has the outcome of a complete round
  Mode mode = Mode::kLaunch;
  std::optional<Calibration> calibration = {};  // where it chose the mode
};

// One iteration decides one batch, the next iteration the next one, and so on in a circle. The
// votes lie ready where the device reads them.
class RoundOperation final : public Operation {
 public:
  // Without a mode the first batch is decided in each, and the fastest is taken.
  RoundOperation(std::shared_ptr<Rotation> rotation, std::optional<Mode> mode);
  ~RoundOperation() override;

  void run(std::uint64_t n) override;
  bool has_device_time() const override { return true; }
  double device_time(std::uint64_t n) override;

 private:
  template <typename Decide>
  void rotate(std::uint64_t n, Decide&& decide);

  std::shared_ptr<Rotation> rotation_;
  std::function<bool()> stop_;
  std::uint32_t next_ = 0;
};

// One iteration copies one batch to where the device reads it. This is what a round host to host
// does not include.
class FillOperation final : public Operation {
 public:
  // What `batches` point to must outlive the operation. Throws as Rotation does.
  FillOperation(const Limits& limits, std::vector<Votes> batches);

  void run(std::uint64_t n) override;
  Verification verify() override;

 private:
  std::vector<Votes> batches_;
  Stream stream_;
  Slots slots_;  // empty at first, so that the verification finds what was not copied
  std::uint32_t next_ = 0;
  std::uint32_t filled_ = 0;  // slots, counting up to all of them
};

}  // namespace stratoperf::cuda::consensus
