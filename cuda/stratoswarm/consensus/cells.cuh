// From the kind of a cell to its type.
#pragma once

#include <cstdint>

#include "cuda/stratoswarm/consensus/plan.hpp"
#include "cuda/stratoswarm/consensus/votes.cuh"

namespace stratoperf::cuda::consensus {

template <typename Cell>
__device__ inline Cell make_cell(std::uint32_t count_bits, std::uint32_t values) {
  return {count_bits, values};
}
template <>
__device__ inline WideCell make_cell<WideCell>(std::uint32_t /*count_bits*/,
                                               std::uint32_t /*values*/) {
  return {};
}

// Calls body with a null pointer to the type of cell that a block has.
template <typename Body>
void with_block_cell(CellKind kind, Body&& body) {
  if (kind == CellKind::kMiddle) {
    body(static_cast<CounterCell<std::uint32_t>*>(nullptr));
  } else if (kind == CellKind::kLong) {
    body(static_cast<CounterCell<std::uint64_t>*>(nullptr));
  } else {
    body(static_cast<WideCell*>(nullptr));
  }
}

// The same for the whole device.
template <typename Body>
void with_cell(CellKind kind, Body&& body) {
  if (kind == CellKind::kByte) {
    body(static_cast<CounterCell<std::uint8_t>*>(nullptr));
  } else if (kind == CellKind::kNarrow) {
    body(static_cast<CounterCell<std::uint16_t>*>(nullptr));
  } else {
    with_block_cell(kind, body);
  }
}

}  // namespace stratoperf::cuda::consensus
