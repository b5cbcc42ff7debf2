// Copies between the host and a device, and within its memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/operation.hpp"
#include "cuda/device/event.hpp"
#include "cuda/device/stream.hpp"
#include "cuda/stratoswarm/copy/buffer.hpp"

namespace stratoperf::cuda::copy {

struct Copy {
  Place from = Place::kPinned;
  Place to = Place::kDevice;
  std::size_t bytes = 0;  // of one copy
  std::uint64_t seed = 0;
};

// The largest copy.
inline constexpr std::size_t kMaxBytes = std::size_t{1} << 36;

// One iteration is one copy, from the call to having waited for the stream. Copies rotate through
// buffers, so that no cache holds what large ones read or wrote before; small ones are bound by the
// call and the bus. There is one piece of content more than there are targets, so that each copy
// brings its target something new.
class CopyOperation final : public Operation {
 public:
  // Throws Unavailable when there is no device, OutOfMemory, and std::invalid_argument for a size
  // out of range or a copy that no device takes part in.
  explicit CopyOperation(const Copy& copy);

  void run(std::uint64_t n) override;
  // That every target that was copied to holds what came last, to the last byte.
  Verification verify() override;
  bool has_device_time() const override { return true; }
  // Events around each copy in the stream.
  double device_time(std::uint64_t n) override;

 private:
  std::size_t source_of(std::uint64_t number) const { return number % sources_ * source_step_; }
  std::size_t target_of(std::uint64_t number) const { return number % targets_ * target_step_; }
  void enqueue();

  Copy copy_;
  cudaMemcpyKind kind_;
  std::size_t target_step_;  // from one target to the next
  std::uint64_t targets_;
  std::size_t source_step_;
  std::uint64_t sources_;
  Stream stream_;
  Buffer source_;
  Buffer target_;
  std::uint64_t done_ = 0;  // copies
};

}  // namespace stratoperf::cuda::copy
