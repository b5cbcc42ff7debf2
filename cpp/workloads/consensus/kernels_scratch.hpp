// The votes of a group on their way into the table.
#pragma once

#include "workloads/consensus/kernels.hpp"

namespace stratoperf::consensus {
namespace {

// What is added to which cell, for `Size` votes: the addend where it is prepared, else the scaled
// value.
template <std::uint32_t Size>
struct Group {
  alignas(64) std::uint32_t index[Size];
  alignas(64) std::uint32_t payload[Size];
};

// Whether addends are prepared while votes are classified: where they fit a payload and the
// instruction set shifts each lane of a register by its own distance.
template <typename Cell, bool LanesShift>
constexpr bool prepares_addends() {
  return LanesShift && sizeof(typename Cell::Word) <= sizeof(std::uint32_t);
}

}  // namespace
}  // namespace stratoperf::consensus
