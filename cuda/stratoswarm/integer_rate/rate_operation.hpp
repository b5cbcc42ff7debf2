// How many integers a device compares and counts: the ceiling beside which matching is judged.
#pragma once

#include <cstdint>

#include "core/operation.hpp"
#include "cuda/device/device.hpp"
#include "cuda/device/event.hpp"
#include "cuda/device/memory.hpp"
#include "cuda/device/stream.hpp"

namespace stratoperf::cuda::integer_rate {

// Keys of one iteration: half a billion steps on an H100, some 75 us.
inline constexpr std::uint32_t kKeys = 256;

// One iteration is one kernel of steps() steps, waited for.
class RateOperation final : public Operation {
 public:
  // Throws Unavailable when there is no device, OutOfMemory, std::invalid_argument for no keys.
  explicit RateOperation(std::uint32_t keys = kKeys, DeviceId device = {});

  // Comparisons of a word with a key, each with a count that depends on it.
  std::uint64_t steps() const { return words() * keys_; }

  void run(std::uint64_t n) override;
  // That every word was counted once in every iteration.
  Verification verify() override;
  bool has_device_time() const override { return true; }
  double device_time(std::uint64_t n) override;

 private:
  std::uint64_t words() const;

  std::uint32_t keys_;
  unsigned blocks_;
  Stream stream_;
  DeviceMemory counted_;
  std::uint64_t done_ = 0;  // iterations
};

// The best of some iterations in steps/s, by the device's clock; takes some milliseconds. Throws
// Error when not every word of all iterations was counted.
double steps_per_second(DeviceId device = {});

}  // namespace stratoperf::cuda::integer_rate
