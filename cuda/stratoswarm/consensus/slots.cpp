#include "cuda/stratoswarm/consensus/slots.hpp"

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>

#include "cuda/device/error.hpp"

namespace stratoperf::cuda::consensus {
namespace {

std::uint64_t checked_size(std::uint64_t size) {
  if (size > kMaxSlots) {
    throw std::invalid_argument("batches: at most " + std::to_string(kMaxSlots) +
                                " fit one operation, got " + std::to_string(size));
  }
  return size;
}

std::array<const std::uint32_t*, 4> columns_of(const Votes& votes) {
  return {votes.voter, votes.proposal, votes.value, votes.round};
}

}  // namespace

Slots::Slots(DeviceId device, const Limits& limits, std::uint64_t capacity, std::uint64_t size,
             Source source)
    : source_(source),
      size_(checked_size(size)),
      layout_{},
      headers_(device, size * sizeof(HeaderLine)) {
  layout_.limits = limits;
  grow(device, capacity);
}

void Slots::grow(DeviceId device, std::uint64_t capacity) {
  const Layout layout = layout_for(layout_.limits, capacity);
  const std::uint64_t bytes = layout.stride * size_;
  if (source_ == Source::kPinned) {
    pinned_ = PinnedMemory(device, bytes);
  } else {
    device_ = DeviceMemory(device, bytes);
  }
  layout_ = layout;
  capacity_ = capacity;
}

void Slots::describe(Work& work) const {
  work.layout = layout_;
  work.slots = source_ == Source::kPinned ? pinned_.device() : device_.data();
  work.headers = headers_.device<HeaderLine>();
}

void Slots::to_slot(std::uint64_t offset, const void* from, std::size_t bytes,
                    const Stream& stream) const {
  if (source_ == Source::kPinned) {
    std::memcpy(pinned_.host() + offset, from, bytes);
  } else {
    check(
        cudaMemcpyAsync(device_.data() + offset, from, bytes, cudaMemcpyHostToDevice, stream.get()),
        "cudaMemcpyAsync to the device", bytes);
  }
}

void Slots::from_slot(void* to, std::uint64_t offset, std::size_t bytes,
                      const Stream& stream) const {
  if (source_ == Source::kPinned) {
    std::memcpy(to, pinned_.host() + offset, bytes);
  } else {
    check(cudaMemcpyAsync(to, device_.data() + offset, bytes, cudaMemcpyDeviceToHost, stream.get()),
          "cudaMemcpyAsync from the device", bytes);
  }
}

void Slots::fill(std::uint32_t slot, const Votes& votes, const Stream& stream) {
  if (votes.count == 0) {
    return;
  }
  const std::uint64_t column_bytes = sizeof(std::uint32_t) * votes.count;
  std::uint64_t offset = slot * layout_.stride;
  for (const std::uint32_t* const column : columns_of(votes)) {
    to_slot(offset, column, column_bytes, stream);
    offset += whole_lines(column_bytes);
  }
  if (source_ == Source::kDevice) {
    stream.synchronize();
  }
}

bool Slots::holds(std::uint32_t slot, const Votes& votes) const {
  const auto ours = columns_of(votes_in(pinned_.host() + slot * layout_.stride, votes.count));
  const auto theirs = columns_of(votes);
  for (std::size_t i = 0; votes.count > 0 && i < ours.size(); ++i) {
    if (std::memcmp(ours[i], theirs[i], sizeof(std::uint32_t) * votes.count) != 0) {
      return false;
    }
  }
  return true;
}

void Slots::read(std::uint32_t slot, stratoperf::consensus::Outcome& outcome,
                 const Stream& stream) const {
  const Header& numbers = header(slot);
  const std::uint64_t base = slot * layout_.stride;
  const Limits& limits = layout_.limits;
  outcome.decided.resize(limits.proposals);
  outcome.tallies.resize(std::size_t{limits.proposals} * limits.values);
  outcome.equivocators.reserve(numbers.equivocators);
  outcome.equivocators.resize(numbers.equivocators);
  from_slot(outcome.decided.data(), base + layout_.decided,
            outcome.decided.size() * sizeof(std::int64_t), stream);
  from_slot(outcome.tallies.data(), base + layout_.tallies,
            outcome.tallies.size() * sizeof(std::uint32_t), stream);
  if (numbers.equivocators > 0) {
    from_slot(outcome.equivocators.data(), base + layout_.equivocators,
              numbers.equivocators * sizeof(Equivocator), stream);
  }
  if (source_ == Source::kDevice) {
    stream.synchronize();
  }
  outcome.accepted = numbers.accepted;
  std::memcpy(outcome.rejected.data(), numbers.rejected, sizeof numbers.rejected);
  outcome.all_touched = true;
}

}  // namespace stratoperf::cuda::consensus
