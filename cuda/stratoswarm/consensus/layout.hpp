// Where the votes and the answer of a batch lie in memory that the host and the device share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/host_device.hpp"
#include "stratoswarm/consensus/rules.hpp"

namespace stratoperf::cuda::consensus {

using stratoperf::consensus::Equivocator;
using stratoperf::consensus::kReasons;
using stratoperf::consensus::Limits;
using stratoperf::consensus::Votes;

// Parts begin on lines as wide as the device's caches fetch.
inline constexpr std::uint64_t kLine = 128;

STRATOPERF_HOST_DEVICE std::uint64_t whole_lines(std::uint64_t bytes) {
  return (bytes + kLine - 1) / kLine * kLine;
}

// The numbers of an outcome.
struct Header {
  std::uint64_t accepted;
  std::uint64_t rejected[kReasons];
  std::uint64_t equivocators;
  std::uint64_t lost_votes;  // other than 0: counters overflowed, and there is no outcome
  std::uint64_t device_ns;   // from seeing the request to answering it; persistent kernels only
};

// Always in host memory, one for each slot.
struct alignas(kLine) HeaderLine {
  Header header;
};

// What one slot holds, as offsets in bytes: the columns of its votes, packed for as many as there
// are, and the answer, at the same place for any number of votes.
struct Layout {
  Limits limits;
  std::uint64_t decided;
  std::uint64_t tallies;
  std::uint64_t equivocators;
  std::uint64_t room;    // equivocators that there is room for
  std::uint64_t stride;  // bytes of a slot
};

constexpr std::uint64_t cells_of(const Limits& limits) {
  return std::uint64_t{limits.nodes} * limits.proposals;
}

// The layout of slots for up to `capacity` votes.
inline Layout layout_for(const Limits& limits, std::uint64_t capacity) {
  Layout layout = {};
  layout.limits = limits;
  layout.decided = 4 * whole_lines(4 * capacity);
  layout.tallies = layout.decided + whole_lines(8 * std::uint64_t{limits.proposals});
  layout.equivocators =
      layout.tallies + whole_lines(4 * std::uint64_t{limits.proposals} * limits.values);
  layout.room = std::min(capacity / 2, cells_of(limits));  // each has two votes or more
  layout.stride = layout.equivocators + whole_lines(sizeof(Equivocator) * layout.room);
  return layout;
}

// The columns of the `count` votes in a slot. Each begins on a line, so that whole groups of votes
// can be read up to its end.
STRATOPERF_HOST_DEVICE Votes votes_in(const unsigned char* slot, std::uint64_t count) {
  const std::uint64_t column = whole_lines(4 * count);
  const auto at = [&](std::uint64_t number) {
    return reinterpret_cast<const std::uint32_t*>(slot + number * column);
  };
  return {at(0), at(1), at(2), at(3), count};
}

}  // namespace stratoperf::cuda::consensus
