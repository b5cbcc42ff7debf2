// Comparing: every node with the first node of every pattern, and what follows from it.
//
// What bounds it, on an H100 or H200 (132 multiprocessors at some 1.75 GHz under load, each with 64
// lanes for 32-bit integers):
// - A comparison of all three fields takes three operations: one for type and child count, which
//   share a word and have a mask for what the pattern leaves open, one for the value, and one that
//   looks for zero and remembers it. 132 * 64 * 1.75e9 / 3 = 4.9e12 comparisons/s; without a value
//   two operations, 7.4e12.
// - For each cell, that is 8 comparisons a lane, there are one load of the key (a broadcast from
//   shared memory, which has a pipe of its own), one vote and one branch beside 24 operations: some
//   90 % of that rate is what to expect, 4.4e12.
// - A cell with hits takes a detour of some 55 operations. Where one comparison in 280 fits, as
// with
//   the simple patterns of the synthetic corpus, a cell in four has any: 13 operations more for
//   each cell, and 3.1e12 comparisons/s. Nested patterns, where one in 300,000 fits, come near
//   to 4.4e12.
// - A node has 8 bytes, read once for each tile of keys: at 4 TB/s 5e11 nodes/s, which is the bound
//   for fewer than 10 patterns. A thread asks for 64 bytes at a time, a multiprocessor for 96 KB;
//   4 TB/s and 0.8 us need 25 KB.
#include "cuda/device/launch.hpp"
#include "cuda/device/warp.cuh"
#include "cuda/stratoswarm/synthesis/kernels.hpp"

namespace stratoperf::cuda::synthesis {
namespace {

constexpr std::uint32_t kWarps = kThreads / kWarp;

// A lane's nodes of a cell: four from 4 * lane on, and four from there on in the second half. Each
// load of a warp reads 512 bytes in a row.
class LaneNodes {
 public:
  __device__ LaneNodes(const Search& search, std::uint32_t cell) {
    const std::uint32_t group = cell * (kCellNodes / 4) + lane_number();
    load(search.shapes, group, shape_);
    load(search.values, group, value_);
  }

  // Whether any fits; what a warp does for each pattern.
  template <bool kValue>
  __device__ bool any_fits(const uint4& key) const {
    bool any = false;
#pragma unroll
    for (std::uint32_t i = 0; i < kLaneNodes; ++i) {
      any |= difference<kValue>(key, i) == 0;
    }
    return any;
  }

  // A bit for each that fits.
  template <bool kValue>
  __device__ std::uint32_t fitting(const uint4& key) const {
    std::uint32_t bits = 0;
#pragma unroll
    for (std::uint32_t i = 0; i < kLaneNodes; ++i) {
      bits |= (difference<kValue>(key, i) == 0 ? 1u : 0u) << i;
    }
    return bits;
  }

  // The row of one of them.
  __device__ static std::uint32_t row(std::uint32_t cell, std::uint32_t i) {
    return cell * kCellNodes + i / 4 * (kCellNodes / 2) + lane_number() * 4 + i % 4;
  }

 private:
  __device__ static void load(const std::uint32_t* column, std::uint32_t group,
                              std::uint32_t (&to)[kLaneNodes]) {
    const auto* const fours = reinterpret_cast<const uint4*>(column);
    const uint4 first = __ldg(fours + group);
    const uint4 second = __ldg(fours + group + kWarp);
    to[0] = first.x;
    to[1] = first.y;
    to[2] = first.z;
    to[3] = first.w;
    to[4] = second.x;
    to[5] = second.y;
    to[6] = second.z;
    to[7] = second.w;
  }

  // The members of Key are x, y, z and w.
  template <bool kValue>
  __device__ std::uint32_t difference(const uint4& key, std::uint32_t i) const {
    const std::uint32_t shape = (shape_[i] ^ key.x) & key.y;
    return kValue ? shape | (value_[i] ^ key.z) : shape;
  }

  std::uint32_t shape_[kLaneNodes];
  std::uint32_t value_[kLaneNodes];
};

// Takes away the bits of nodes that do not exist: the last cell may have some.
__device__ std::uint32_t existing(const Search& search, std::uint32_t cell, std::uint32_t bits) {
  if (cell + 1 < search.row) {
    return bits;
  }
#pragma unroll
  for (std::uint32_t i = 0; i < kLaneNodes; ++i) {
    bits &= LaneNodes::row(cell, i) < search.size ? ~0u : ~(1u << i);
  }
  return bits;
}

// Takes away the bits of nodes where the rest of a pattern does not match.
__device__ std::uint32_t matching(const Search& search, std::uint32_t pattern, std::uint32_t cell,
                                  std::uint32_t bits, std::uint64_t& comparisons) {
  std::uint32_t bound[stratoperf::synthesis::kMostPatternNodes];
  std::uint32_t kept = 0;
  for (std::uint32_t rest = bits; rest != 0; rest &= rest - 1) {
    const std::uint32_t i = static_cast<std::uint32_t>(__ffs(static_cast<int>(rest))) - 1;
    const bool matches = match_below(search.nodes, search.patterns, pattern,
                                     LaneNodes::row(cell, i), bound, comparisons);
    kept |= (matches ? 1u : 0u) << i;
  }
  return kept;
}

// The sum of 0 to 8 over a warp, in all lanes: a ballot for each of its bits.
__device__ std::uint32_t ballot_sum(std::uint32_t value) {
  std::uint32_t sum = 0;
#pragma unroll
  for (std::uint32_t bit = 0; bit < 4; ++bit) {
    const unsigned lanes = __ballot_sync(kAllLanes, static_cast<int>(value >> bit & 1));
    sum += static_cast<std::uint32_t>(__popc(lanes)) << bit;
  }
  return sum;
}

// Writes down the hits of a cell.
__device__ void keep(const Search& search, const Pass& pass, std::uint32_t pattern,
                     std::uint32_t cell, std::uint32_t bits) {
  const std::uint32_t hits = ballot_sum(static_cast<std::uint32_t>(__popc(bits)));
  if (hits == 0) {
    return;
  }
  const std::uint32_t at = (pattern - pass.first) * search.row + cell;
  search.bits[std::uint64_t{at} * kCellBytes + lane_number()] = static_cast<unsigned char>(bits);
  if (lane_number() == 0) {
    search.counts[at] = hits;
    atomicAdd(&search.sums[at / kPlacedCells], hits);
  }
}

// A warp's nodes against some keys.
template <bool kBelow, bool kValue>
__device__ void compare_keys(const Search& search, const Pass& pass, const uint4* keys,
                             std::uint32_t first, std::uint32_t last, std::uint32_t cell,
                             const LaneNodes& nodes, std::uint64_t& comparisons) {
#pragma unroll 4
  for (std::uint32_t number = first; number < last; ++number) {
    const uint4 key = keys[number];
    if (__any_sync(kAllLanes, nodes.any_fits<kValue>(key) ? 1 : 0) != 0) {
      const std::uint32_t pattern = key.w & ~kGoesOn;
      std::uint32_t bits = existing(search, cell, nodes.fitting<kValue>(key));
      if constexpr (kBelow) {
        if ((key.w & kGoesOn) != 0) {
          bits = matching(search, pattern, cell, bits, comparisons);
        }
      }
      keep(search, pass, pattern, cell, bits);
    }
  }
}

// Blocks of the same nodes and different tiles follow each other, so that all but the first find
// the nodes in the second-level cache.
template <bool kBelow>
__global__ void __launch_bounds__(kThreads) compare_cells(Search search, Pass pass) {
  auto* const keys = reinterpret_cast<uint4*>(shared_memory());
  const std::uint32_t tile = blockIdx.x % pass.tiles;
  const std::uint32_t group = blockIdx.x / pass.tiles;
  const std::uint32_t first = tile * pass.tile;
  const std::uint32_t size = pass.size - first < pass.tile ? pass.size - first : pass.tile;
  for (std::uint32_t i = threadIdx.x; i < size; i += kThreads) {
    keys[i] = __ldg(reinterpret_cast<const uint4*>(pass.keys) + first + i);
  }
  __syncthreads();
  // Of the keys of this tile: those that compare the value.
  const std::uint32_t left = pass.with_value < first ? 0 : pass.with_value - first;
  const std::uint32_t with_value = left < size ? left : size;
  std::uint64_t comparisons = 0;
  const std::uint32_t step = gridDim.x / pass.tiles * kWarps;
  for (std::uint32_t cell = group * kWarps + warp_number(); cell < search.row; cell += step) {
    const LaneNodes nodes(search, cell);
    compare_keys<kBelow, true>(search, pass, keys, 0, with_value, cell, nodes, comparisons);
    compare_keys<kBelow, false>(search, pass, keys, with_value, size, cell, nodes, comparisons);
  }
  if constexpr (kBelow) {
    comparisons = warp_sum(comparisons);
    if (lane_number() == 0 && comparisons != 0) {
      atomic_add(search.comparisons, comparisons);
    }
  }
}

}  // namespace

void load_compare() {
  load("compare_cells", &compare_cells<false>);
  load("compare_cells", &compare_cells<true>);
}

void launch_compare(const Search& search, const Pass& pass, bool goes_on, unsigned blocks,
                    const Stream& stream) {
  const Grid grid = {blocks, kThreads, pass.tile * sizeof(Key)};
  launch("compare_cells", goes_on ? &compare_cells<true> : &compare_cells<false>, grid, stream,
         search, pass);
}

}  // namespace stratoperf::cuda::synthesis
