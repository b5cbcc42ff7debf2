// The votes of a group on their way into the table.
#pragma once

#include "workloads/consensus/kernels.hpp"

namespace stratoperf::consensus {
namespace {

// What is added to which cell, for `Size` votes.
template <std::uint32_t Size>
struct Group {
  alignas(64) std::uint32_t index[Size];
  alignas(64) std::uint32_t payload[Size];
};

}  // namespace
}  // namespace stratoperf::consensus
