#include "cuda/stratoswarm/consensus/grid_buffers.hpp"

#include <utility>

namespace stratoperf::cuda::consensus {
namespace {

// With the rest of the last word that atomics work on.
std::size_t table_bytes(const Plan& plan, const Limits& limits) {
  return whole_lines(cells_of(limits) * cell_bytes(plan.cell));
}

std::size_t row_warps(const Plan& plan) {
  return std::size_t{plan.row_blocks} * plan.threads / kWarpThreads;
}

// Whether a warp tallies a whole row, and has a lane for every value.
bool warp_tallies_row(const Limits& limits, std::uint32_t segment) {
  return limits.nodes <= segment && limits.values <= kWarpThreads;
}

}  // namespace

bool GridBuffers::reserve(const Plan& plan, const Limits& limits, std::uint32_t segment,
                          DeviceId device) {
  const std::size_t table = table_bytes(plan, limits);
  const std::size_t equivocators = (row_warps(plan) + plan.row_blocks) * sizeof(std::uint32_t);
  const std::size_t tallies =
      warp_tallies_row(limits, segment)
          ? 0
          : std::size_t{limits.proposals} * limits.values * sizeof(std::uint32_t);
  segment_ = segment;
  if (table <= table_.bytes() && equivocators <= equivocators_.bytes() &&
      tallies <= tallies_.bytes()) {
    return false;
  }
  const auto larger = [&](const DeviceMemory& memory, std::size_t bytes) {
    return bytes > memory.bytes() ? DeviceMemory(device, bytes) : DeviceMemory();
  };
  DeviceMemory new_table = larger(table_, table);
  DeviceMemory new_totals = larger(totals_, sizeof(GridTotals));
  DeviceMemory new_equivocators = larger(equivocators_, equivocators);
  DeviceMemory new_tallies = larger(tallies_, tallies);
  // Nothing below fails.
  const auto replace = [](DeviceMemory& memory, DeviceMemory& by) {
    if (by.bytes() > 0) {
      memory = std::move(by);
    }
  };
  replace(table_, new_table);
  replace(totals_, new_totals);
  replace(equivocators_, new_equivocators);
  replace(tallies_, new_tallies);
  distrust();
  return true;
}

void GridBuffers::describe(const Plan& plan, Work& work) const {
  auto* const warps = equivocators_.data<std::uint32_t>();
  work.grid = {
      .table = table_.data(),
      .totals = totals_.data<GridTotals>(),
      .warp_equivocators = warps,
      .block_equivocators = warps + row_warps(plan),
      .tallies = tallies_.data<std::uint32_t>(),
      .segment = segment_,
  };
}

void GridBuffers::clear_table(const Plan& plan, const Limits& limits, const Stream& stream) const {
  table_.clear(stream, table_bytes(plan, limits));
}

void GridBuffers::restore(const Stream& stream) {
  if (trusted_) {
    return;
  }
  table_.clear(stream);
  totals_.clear(stream);
  if (tallies_.bytes() > 0) {
    tallies_.clear(stream);
  }
  trusted_ = true;
}

}  // namespace stratoperf::cuda::consensus
