// Bringing hits into the order of (pattern, row), and to the host.
//
// What bounds it, on an H100 or H200: four bytes are read for each cell, 1 for 64 comparisons,
// which at 4e12 comparisons/s adds 2 % to them; a cell with hits has a sector of bits more. To the
// host go 4 bytes a hit at some 50 GB/s.
#include "cuda/device/launch.hpp"
#include "cuda/device/warp.cuh"
#include "cuda/stratoswarm/synthesis/kernels.hpp"

namespace stratoperf::cuda::synthesis {
namespace {

constexpr std::uint32_t kWarps = kThreads / kWarp;

// Cells in a row that one thread places.
constexpr std::uint32_t kThreadCells = kPlacedCells / kThreads;

constexpr std::uint32_t kCellWords = kCellBytes / sizeof(std::uint32_t);

// Of each warp and of all before, in shared memory.
struct Sums {
  std::uint32_t of_warp[kWarps];
  std::uint32_t before[kWarps];
  std::uint32_t all[kWarps];
};

// The sum over the lanes up to this one.
__device__ std::uint32_t inclusive_sum(std::uint32_t value) {
#pragma unroll
  for (unsigned distance = 1; distance < kWarp; distance *= 2) {
    const std::uint32_t below = __shfl_up_sync(kAllLanes, value, distance);
    value += lane_number() >= distance ? below : 0;
  }
  return value;
}

// Hits before those of this thread in this pass; `all` gets how many the pass has. Synchronizes.
__device__ std::uint32_t hits_before(const Search& search, std::uint32_t own, std::uint32_t& all) {
  auto& sums = *reinterpret_cast<Sums*>(shared_memory());
  std::uint32_t before = 0;
  std::uint32_t every = 0;
  for (std::uint32_t block = threadIdx.x; block < gridDim.x; block += kThreads) {
    const std::uint32_t sum = search.sums[block];
    before += block < blockIdx.x ? sum : 0;
    every += sum;
  }
  before = warp_sum(before);
  every = warp_sum(every);
  const std::uint32_t until = inclusive_sum(own);
  if (lane_number() == 0) {
    sums.before[warp_number()] = before;
    sums.all[warp_number()] = every;
  }
  if (lane_number() == kWarp - 1) {
    sums.of_warp[warp_number()] = until;
  }
  __syncthreads();
  std::uint32_t result = until - own;
  all = 0;
  for (std::uint32_t warp = 0; warp < kWarps; ++warp) {
    result += sums.before[warp] + (warp < warp_number() ? sums.of_warp[warp] : 0);
    all += sums.all[warp];
  }
  return result;
}

// Writes the rows of a cell in order: those of its first half in the lower four bits of each byte,
// then those of the second half. `first` is the row of its first node.
__device__ void place_cell(const Search& search, std::uint32_t at, std::uint32_t first,
                           std::uint64_t position) {
  const auto* const words =
      reinterpret_cast<const std::uint32_t*>(search.bits + std::uint64_t{at} * kCellBytes);
  for (std::uint32_t i = 0; i < 2 * kCellWords; ++i) {
    const std::uint32_t half = i / kCellWords;
    const std::uint32_t word = i % kCellWords;
    const std::uint32_t base =
        first + half * (kCellNodes / 2) + word * (kCellNodes / 2 / kCellWords);
    for (std::uint32_t rest = words[word] >> (4 * half) & 0x0f0f0f0fu; rest != 0;
         rest &= rest - 1) {
      const std::uint32_t bit = static_cast<std::uint32_t>(__ffs(static_cast<int>(rest))) - 1;
      if (position < search.capacity) {
        search.rows[position] = base + bit / 8 * 4 + bit % 8;
      }
      ++position;
    }
  }
}

// A thread writes the hits of its cells one by one: few have any.
__global__ void __launch_bounds__(kThreads) place_hits(Search search, Pass pass) {
  const std::uint32_t cells = pass.size * search.row;
  const std::uint32_t first = blockIdx.x * kPlacedCells + threadIdx.x * kThreadCells;
  std::uint32_t counts[kThreadCells];
  std::uint32_t own = 0;
#pragma unroll
  for (std::uint32_t i = 0; i < kThreadCells; i += 4) {
    // Counts are zero up to the end of the last block's cells.
    const uint4 four = *reinterpret_cast<const uint4*>(search.counts + first + i);
    counts[i] = four.x;
    counts[i + 1] = four.y;
    counts[i + 2] = four.z;
    counts[i + 3] = four.w;
    own += four.x + four.y + four.z + four.w;
  }
  std::uint32_t all = 0;
  const std::uint64_t before_pass = search.hits[pass.number];
  std::uint64_t position = before_pass + hits_before(search, own, all);
  std::uint32_t pattern = first / search.row;
  std::uint32_t cell = first % search.row;
#pragma unroll
  for (std::uint32_t i = 0; i < kThreadCells; ++i) {
    if (first + i >= cells) {
      break;
    }
    if (cell == 0) {
      search.begin[pass.first + pattern] = position;
    }
    if (counts[i] != 0) {
      place_cell(search, first + i, cell * kCellNodes, position);
      position += counts[i];
    }
    if (++cell == search.row) {
      cell = 0;
      ++pattern;
    }
  }
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    search.hits[pass.number + 1] = before_pass + all;
  }
}

__global__ void __launch_bounds__(kThreads)
    deliver_hits(Search search, Delivery delivery, std::uint32_t passes) {
  const std::uint64_t hits = search.hits[passes];
  const std::uint64_t rows = hits < search.capacity ? hits : search.capacity;
  const std::uint64_t thread = std::uint64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::uint64_t step = std::uint64_t{gridDim.x} * kThreads;
  if (delivery.rows != nullptr) {
    // The last group of four may have rows of an earlier match, which nobody looks at.
    for (std::uint64_t four = thread; four < (rows + 3) / 4; four += step) {
      reinterpret_cast<uint4*>(delivery.rows)[four] =
          reinterpret_cast<const uint4*>(search.rows)[four];
    }
  }
  for (std::uint64_t pattern = thread; pattern < search.patterns.size; pattern += step) {
    delivery.begin[pattern] = search.begin[pattern];
  }
  if (thread == 0) {
    delivery.begin[search.patterns.size] = hits;
    *delivery.header = {hits, *search.comparisons};
  }
}

}  // namespace

void load_place() {
  load("place_hits", &place_hits);
  load("deliver_hits", &deliver_hits);
}

void launch_place(const Search& search, const Pass& pass, const Stream& stream) {
  const std::uint32_t cells = pass.size * search.row;
  launch("place_hits", &place_hits,
         {(cells + kPlacedCells - 1) / kPlacedCells, kThreads, sizeof(Sums)}, stream, search, pass);
}

void launch_deliver(const Search& search, const Delivery& delivery, std::uint32_t passes,
                    unsigned blocks, const Stream& stream) {
  launch("deliver_hits", &deliver_hits, {blocks, kThreads, 0}, stream, search, delivery, passes);
}

}  // namespace stratoperf::cuda::synthesis
