#include "cuda/stratoswarm/memory/copier.hpp"

#include <cuda_runtime_api.h>

#include <cstring>
#include <utility>

#include "cuda/device/error.hpp"

namespace stratoperf::cuda::memory {
namespace {

void enqueue_one(const Run& run, Way way, const Stream& stream) {
  switch (way) {
    case Way::to_device:
      check(cudaMemcpyAsync(run.device, run.other, run.bytes, cudaMemcpyHostToDevice, stream.get()),
            "cudaMemcpyAsync to the device", run.bytes);
      return;
    case Way::from_device:
      check(cudaMemcpyAsync(run.other, run.device, run.bytes, cudaMemcpyDeviceToHost, stream.get()),
            "cudaMemcpyAsync from the device", run.bytes);
      return;
    case Way::within:
      check(
          cudaMemcpyAsync(run.device, run.other, run.bytes, cudaMemcpyDeviceToDevice, stream.get()),
          "cudaMemcpyAsync within the device", run.bytes);
  }
}

// How many runs from the first on are small and lie one behind the other on the device.
std::size_t small_ones(std::span<const Run> runs, std::size_t& bytes) {
  std::size_t count = 0;
  bytes = 0;
  while (count < runs.size() && runs[count].bytes < kOwnCall &&
         bytes + runs[count].bytes <= kSlotBytes &&
         runs[count].device == runs.front().device + bytes) {
    bytes += runs[count].bytes;
    ++count;
  }
  return count;
}

}  // namespace

void Copier::copy(Way way, std::span<const Run> runs) {
  const CurrentDevice current(device_);
  std::unique_ptr<Lane> lane = take_lane();
  try {
    enqueue(*lane, way, runs);
    lane->stream.synchronize();
  } catch (...) {
    // The host's memory is not ours: nothing may write to it after this. The lane is not used
    // again, since its stream may be broken.
    static_cast<void>(cudaStreamSynchronize(lane->stream.get()));
    static_cast<void>(cudaGetLastError());
    throw;
  }
  give_back(std::move(lane));
}

void Copier::enqueue(Lane& lane, Way way, std::span<const Run> runs) {
  while (!runs.empty()) {
    std::size_t bytes = 0;
    const std::size_t small = way == Way::within ? 0 : small_ones(runs, bytes);
    if (small > 1) {
      enqueue_small(lane, way, runs.first(small), bytes);
      runs = runs.subspan(small);
    } else {
      enqueue_one(runs.front(), way, lane.stream);
      runs = runs.subspan(1);
    }
  }
  for (Slot& slot : lane.slots) {
    finish(slot);
  }
}

void Copier::enqueue_small(Lane& lane, Way way, std::span<const Run> runs, std::size_t bytes) {
  Slot& slot = lane.slots[lane.turn];
  lane.turn = 1 - lane.turn;
  finish(slot);
  slot.copied.synchronize();  // what it held before was copied to the device
  auto* const host = slot.memory.host<std::byte>();
  if (way == Way::to_device) {
    std::byte* target = host;
    for (const Run& run : runs) {
      std::memcpy(target, run.other, run.bytes);
      target += run.bytes;
    }
  } else {
    slot.due = runs;
  }
  enqueue_one({runs.front().device, host, bytes}, way, lane.stream);
  slot.copied.record(lane.stream);
}

// Hands what a slot holds for the host to where it belongs.
void Copier::finish(Slot& slot) {
  if (slot.due.empty()) {
    return;
  }
  slot.copied.synchronize();
  const auto* source = slot.memory.host<std::byte>();
  for (const Run& run : std::exchange(slot.due, {})) {
    std::memcpy(run.other, source, run.bytes);
    source += run.bytes;
  }
}

std::unique_ptr<Copier::Lane> Copier::take_lane() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Lane> lane = std::move(idle_.back());
      idle_.pop_back();
      return lane;
    }
  }
  return std::make_unique<Lane>(device_);
}

void Copier::give_back(std::unique_ptr<Lane> lane) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(lane));
}

}  // namespace stratoperf::cuda::memory
