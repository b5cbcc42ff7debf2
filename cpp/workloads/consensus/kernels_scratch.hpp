// The votes of a block on their way into the table.
#pragma once

#include "workloads/consensus/kernels.hpp"

namespace stratoperf::consensus {
namespace {

// Votes classified before they are added: this scratch and the table share the first-level cache
// with the votes that stream through it.
constexpr std::uint32_t kBlock = 512;

struct Scratch {
  alignas(64) std::uint32_t index[kBlock];
  alignas(64) std::uint32_t scaled_value[kBlock];
};

}  // namespace
}  // namespace stratoperf::consensus
