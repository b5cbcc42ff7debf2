// The batches of a round, and what became of each.
#pragma once

#include <cstdint>

#include "cuda/device/memory.hpp"
#include "cuda/device/stream.hpp"
#include "cuda/stratoswarm/consensus/layout.hpp"
#include "cuda/stratoswarm/consensus/work.hpp"
#include "stratoswarm/consensus/outcome.hpp"

namespace stratoperf::cuda::consensus {

// Where the votes are and the answers go: in host memory that kernels read and write over the bus,
// or in device memory.
enum class Source : std::uint8_t { kPinned, kDevice };

// A fixed number of slots in one piece of memory. A slot may be used only while no request for it
// is in flight.
class Slots {
 public:
  // Throws OutOfMemory, and std::invalid_argument for more slots than requests can name.
  Slots(DeviceId device, const Limits& limits, std::uint64_t capacity, std::uint64_t size,
        Source source);

  std::uint64_t capacity() const { return capacity_; }  // votes
  std::uint64_t size() const { return size_; }
  // Makes room for larger batches; what slots hold is lost. Throws OutOfMemory, and then all is as
  // before.
  void grow(DeviceId device, std::uint64_t capacity);

  // Fills in the parts of a kernel's work that speak of slots.
  void describe(Work& work) const;

  // Copies the votes into a slot, and waits until they are there.
  void fill(std::uint32_t slot, const Votes& votes, const Stream& stream);

  // Whether a slot holds these votes; for slots in host memory.
  bool holds(std::uint32_t slot, const Votes& votes) const;

  // The numbers of a slot's outcome, and all of it. After its answer.
  const Header& header(std::uint32_t slot) const {
    return headers_.host<HeaderLine>()[slot].header;
  }
  void read(std::uint32_t slot, stratoperf::consensus::Outcome& outcome,
            const Stream& stream) const;

 private:
  void to_slot(std::uint64_t offset, const void* from, std::size_t bytes,
               const Stream& stream) const;
  void from_slot(void* to, std::uint64_t offset, std::size_t bytes, const Stream& stream) const;

  Source source_;
  std::uint64_t capacity_ = 0;
  std::uint64_t size_;
  Layout layout_;
  PinnedMemory pinned_;
  DeviceMemory device_;
  PinnedMemory headers_;
};

}  // namespace stratoperf::cuda::consensus
