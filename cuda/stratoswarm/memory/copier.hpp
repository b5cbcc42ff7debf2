// Copies between a device's memory and the host's, for several threads at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "cuda/device/event.hpp"
#include "cuda/device/memory.hpp"
#include "cuda/device/stream.hpp"

namespace stratoperf::cuda::memory {

// One stretch of device memory, and one of the host's or the device's, that a copy joins.
struct Run {
  std::byte* device = nullptr;
  std::byte* other = nullptr;
  std::size_t bytes = 0;
};

enum class Way { to_device, from_device, within };  // within: `other` is device memory to copy from

// Smaller runs go through page-locked memory, several with one call. A call takes the host about
// as long as one core takes to copy so many bytes (2 us at 8 GB/s).
inline constexpr std::size_t kOwnCall = std::size_t{16} << 10;

// Where small runs meet: as large as the bus is busy for much longer than a call takes.
inline constexpr std::size_t kSlotBytes = std::size_t{512} << 10;

class Copier {
 public:
  explicit Copier(DeviceId device) : device_(device) {}

  // Returns when all have arrived. When it throws Error nothing is under way any more. The host's
  // memory may be pageable, or page-locked over the whole of a run.
  void copy(Way way, std::span<const Run> runs);

 private:
  // Page-locked memory in turns: while the device copies one half, the host fills the other.
  struct Slot {
    explicit Slot(DeviceId device) : memory(device, kSlotBytes) {}
    PinnedMemory memory;
    Event copied = {};
    std::span<const Run> due = {};  // whose bytes it holds for the host
  };
  // What one thread copies with. No two threads wait for each other's copies.
  struct Lane {
    explicit Lane(DeviceId device) : stream(device), slots{Slot(device), Slot(device)} {}
    Stream stream;
    std::array<Slot, 2> slots;
    std::size_t turn = 0;
  };

  std::unique_ptr<Lane> take_lane();
  void give_back(std::unique_ptr<Lane> lane);
  static void enqueue(Lane& lane, Way way, std::span<const Run> runs);
  static void enqueue_small(Lane& lane, Way way, std::span<const Run> runs, std::size_t bytes);
  static void finish(Slot& slot);

  DeviceId device_;
  std::mutex mutex_ = {};
  std::vector<std::unique_ptr<Lane>> idle_ = {};
};

}  // namespace stratoperf::cuda::memory
