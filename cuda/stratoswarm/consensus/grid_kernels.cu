// A round by the whole device, with its cells in device memory: three kernels in a row.
//
// What bounds it, on an H100 or H200:
// - Votes over the bus: 16 bytes each at some 50 GB/s, 0.3 ns a vote; nothing else matters then.
// - Votes from device memory: 160 MB for 10 million, 40 to 60 us. They are read once, past the
//   caches, so that the table stays in the second-level cache: with two values and short counters a
//   byte a cell, 10 MB.
// - One atomic addition a vote, done by the second-level cache where the cell is: in random order
//   each takes one of its slices for a cycle, about a hundred slices at 1.7 GHz, 60 us for 10
//   million, beside the reads. Nobody waits for a result.
// - The table, read twice: 10 MB from the second-level cache, some 10 us. Clearing it comes after
//   the answer.
// - Three launches, some 2 us each in a graph.
#include "cuda/device/doorbell.cuh"
#include "cuda/device/launch.hpp"
#include "cuda/stratoswarm/consensus/cells.cuh"
#include "cuda/stratoswarm/consensus/kernels.hpp"
#include "cuda/stratoswarm/consensus/rows.cuh"
#include "cuda/stratoswarm/consensus/work.hpp"

namespace stratoperf::cuda::consensus {
namespace {

constexpr unsigned kMaxThreads = 256;

// Adds the votes to the table. One round trip over the bus before the first vote where the request
// is read from the mailbox.
template <typename Cell>
__global__ void __launch_bounds__(kMaxThreads) add_all_votes(Work work, std::uint64_t request) {
  auto* const shared = reinterpret_cast<std::uint64_t*>(shared_memory());
  if (request == 0) {
    if (threadIdx.x == 0) {
      shared[0] = load_acquire_system(&work.mailbox->request.value);
    }
    __syncthreads();
    request = shared[0];
  }
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    work.grid.totals->request = request;
  }
  const std::uint32_t values = work.layout.limits.values;
  const unsigned char* const slot = work.slots + request_slot(request) * work.layout.stride;
  VoteAdder<Cell> adder(make_cell<Cell>(work.count_bits, values), work.layout.limits,
                        votes_in(slot, request_count(request)),
                        static_cast<typename Cell::Word*>(work.grid.table));
  add_votes(adder, std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x,
            std::uint64_t{gridDim.x} * blockDim.x, [] {});
  for (std::uint32_t check = 0; check < kOwnReasons; ++check) {
    const std::uint32_t sum = warp_sum(adder.passed().checks[check]);
    if (lane_number() == 0 && sum != 0) {
      atomic_add(&work.grid.totals->passed[check], sum);
    }
  }
}

// A piece of a row.
struct Segment {
  std::uint32_t proposal;
  std::uint32_t first;   // voter
  std::uint32_t voters;  // how many
};

// The segments of this warp: a range, so that ranges of warps in order are segments in order.
class OwnSegments {
 public:
  __device__ explicit OwnSegments(const Work& work)
      : limits_(work.layout.limits),
        length_(work.grid.segment),
        pieces_((limits_.nodes + length_ - 1) / length_) {
    const std::uint64_t warps = std::uint64_t{gridDim.x} * (blockDim.x / kWarp);
    const std::uint64_t warp = own_warp();
    const std::uint64_t all = std::uint64_t{limits_.proposals} * pieces_;
    first_ = all * warp / warps;
    last_ = all * (warp + 1) / warps;
  }

  __device__ static std::uint64_t own_warp() {
    return std::uint64_t{blockIdx.x} * (blockDim.x / kWarp) + warp_number();
  }
  __device__ std::uint64_t first() const { return first_; }
  __device__ std::uint64_t last() const { return last_; }
  __device__ Segment operator[](std::uint64_t number) const {
    const auto proposal = static_cast<std::uint32_t>(number / pieces_);
    const std::uint32_t begin = static_cast<std::uint32_t>(number % pieces_) * length_;
    const std::uint32_t left = limits_.nodes - begin;
    return {proposal, begin, left < length_ ? left : length_};
  }
  // Where the cells of a segment are in the table.
  __device__ std::uint64_t cell(const Segment& segment) const {
    return std::uint64_t{segment.proposal} * limits_.nodes + segment.first;
  }

 private:
  Limits limits_;
  std::uint32_t length_;
  std::uint32_t pieces_;
  std::uint64_t first_;
  std::uint64_t last_;
};

// Tallies and decides the rows, or adds pieces of them to the tallies in device memory, and counts
// the equivocators of each warp and each block.
template <typename Cell>
__global__ void __launch_bounds__(kMaxThreads) sum_all_rows(Work work) {
  const Limits& limits = work.layout.limits;
  const auto cell = make_cell<Cell>(work.count_bits, limits.values);
  GridTotals& totals = *work.grid.totals;
  unsigned char* const slot = work.slots + request_slot(totals.request) * work.layout.stride;
  auto* const decided = reinterpret_cast<std::int64_t*>(slot + work.layout.decided);
  auto* const tallies = reinterpret_cast<std::uint32_t*>(slot + work.layout.tallies);
  auto* const block_equivocators = reinterpret_cast<std::uint32_t*>(shared_memory());
  if (threadIdx.x == 0) {
    *block_equivocators = 0;
  }
  __syncthreads();
  const std::uint32_t lane = lane_number();
  const OwnSegments segments(work);
  RowSums all;
  std::uint64_t short_counts = 0;
  for (std::uint64_t number = segments.first(); number < segments.last(); ++number) {
    const Segment segment = segments[number];
    const auto* const row =
        static_cast<const typename Cell::Word*>(work.grid.table) + segments.cell(segment);
    const std::uint64_t row_tallies = std::uint64_t{segment.proposal} * limits.values;
    const RowSums sums =
        sum_row(cell, limits, row, segment.voters,
                work.grid.tallies == nullptr ? nullptr : work.grid.tallies + row_tallies);
    all.accepted += sums.accepted;
    all.equivocators += sums.equivocators;
    all.equivocal_votes += sums.equivocal_votes;
    short_counts += sums.short_counts;
    std::int64_t won = -1;
    if (work.grid.tallies == nullptr) {
      won = winner(sums, limits, work.quorum);
      if (lane < limits.values) {
        tallies[row_tallies + lane] = sums.tally;
      }
    } else if (limits.values <= kLaneValues && lane < limits.values && sums.tally != 0) {
      atomicAdd(&work.grid.tallies[row_tallies + lane], sums.tally);
    }
    // Where others tally the same row, its winner is found once all of them are done.
    if (lane == 0 && segment.first == 0) {
      decided[segment.proposal] = won;
    }
  }
  const std::uint32_t equivocal_votes = warp_sum(all.equivocal_votes);
  const std::uint32_t counted = warp_sum(static_cast<std::uint32_t>(short_counts));
  if (lane == 0) {
    atomic_add(&totals.accepted, all.accepted);
    atomic_add(&totals.equivocal_votes, equivocal_votes);
    atomic_add(&totals.short_counts, counted);
    work.grid.warp_equivocators[OwnSegments::own_warp()] = all.equivocators;
    atomicAdd(block_equivocators, all.equivocators);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    work.grid.block_equivocators[blockIdx.x] = *block_equivocators;
  }
}

// How many equivocators the warps before this one found; `all` gets how many there are. In all
// lanes of each warp. Synchronizes.
__device__ std::uint64_t equivocators_before(const Work& work, std::uint64_t& all) {
  auto* const sums = reinterpret_cast<std::uint64_t*>(shared_memory());
  if (threadIdx.x < 2) {
    sums[threadIdx.x] = 0;
  }
  __syncthreads();
  std::uint32_t before = 0;
  std::uint32_t every = 0;
  for (std::uint32_t block = threadIdx.x; block < gridDim.x; block += blockDim.x) {
    const std::uint32_t found = work.grid.block_equivocators[block];
    before += block < blockIdx.x ? found : 0;
    every += found;
  }
  before = warp_sum(before);
  every = warp_sum(every);
  if (lane_number() == 0) {
    atomic_add(&sums[0], before);
    atomic_add(&sums[1], every);
  }
  __syncthreads();
  const std::uint32_t warps = blockDim.x / kWarp;
  const std::uint32_t of_warp =
      lane_number() < warp_number()
          ? work.grid.warp_equivocators[std::uint64_t{blockIdx.x} * warps + lane_number()]
          : 0;
  all = sums[1];
  return sums[0] + __shfl_sync(kAllLanes, warp_sum(of_warp), 0);
}

// Moves the tallies that several warps added up to the answer, and decides by them.
__device__ void finish_tallies(const Work& work, unsigned char* slot) {
  const Limits& limits = work.layout.limits;
  auto* const decided = reinterpret_cast<std::int64_t*>(slot + work.layout.decided);
  auto* const tallies = reinterpret_cast<std::uint32_t*>(slot + work.layout.tallies);
  const std::uint64_t size = std::uint64_t{limits.proposals} * limits.values;
  const std::uint64_t step = std::uint64_t{gridDim.x} * blockDim.x;
  for (std::uint64_t i = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size;
       i += step) {
    const std::uint32_t tally = work.grid.tallies[i];
    work.grid.tallies[i] = 0;
    tallies[i] = tally;
    if (tally >= work.quorum) {
      decided[i / limits.values] = static_cast<std::int64_t>(i % limits.values);
    }
  }
}

// Writes the numbers, answers, and leaves the totals as they were before the round. By the last
// thread that is at work.
template <typename Cell>
__device__ void finish_round(const Work& work, const Cell& cell, std::uint64_t equivocators) {
  GridTotals& totals = *work.grid.totals;
  const std::uint64_t request = totals.request;
  const std::uint64_t valid = totals.passed[kOwnReasons - 1];
  Header& header = work.headers[request_slot(request)].header;
  fill_header(&header, request_count(request), totals.passed, totals.accepted,
              totals.equivocal_votes, equivocators);
  header.device_ns = 0;
  header.lost_votes = cell.counts_short() ? valid - totals.short_counts : 0;
  totals = {};
  answer(work.mailbox, request);
}

// Names the equivocators, and ends the round.
template <typename Cell>
__global__ void __launch_bounds__(kMaxThreads) finish_all(Work work) {
  const Limits& limits = work.layout.limits;
  const auto cell = make_cell<Cell>(work.count_bits, limits.values);
  GridTotals& totals = *work.grid.totals;
  unsigned char* const slot = work.slots + request_slot(totals.request) * work.layout.stride;
  std::uint64_t equivocators = 0;
  const std::uint64_t before = equivocators_before(work, equivocators);
  auto* end = reinterpret_cast<Equivocator*>(slot + work.layout.equivocators) + before;
  const OwnSegments segments(work);
  if (work.grid.warp_equivocators[OwnSegments::own_warp()] != 0) {
    for (std::uint64_t number = segments.first(); number < segments.last(); ++number) {
      const Segment segment = segments[number];
      const auto* const row =
          static_cast<const typename Cell::Word*>(work.grid.table) + segments.cell(segment);
      end = list_equivocators(cell, row, segment.proposal, segment.first, segment.voters, end);
    }
  }
  if (work.grid.tallies != nullptr) {
    finish_tallies(work, slot);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    // Before others hear that this block is done, all it wrote has arrived.
    __threadfence_system();
    if (atomicAdd(&totals.blocks_done, 1u) == gridDim.x - 1) {
      __threadfence_system();
      finish_round(work, cell, equivocators);
    }
  }
}

// Of the kernels above: two sums.
constexpr std::size_t kSharedBytes = 2 * sizeof(std::uint64_t);

}  // namespace

void load_grid(const Plan& plan) {
  with_cell(plan.cell, [&](auto* type) {
    using Cell = std::remove_pointer_t<decltype(type)>;
    load("add_all_votes", &add_all_votes<Cell>);
    load("sum_all_rows", &sum_all_rows<Cell>);
    load("finish_all", &finish_all<Cell>);
  });
}

void launch_grid(const Plan& plan, const Work& work, std::uint64_t request, const Stream& stream) {
  with_cell(plan.cell, [&](auto* type) {
    using Cell = std::remove_pointer_t<decltype(type)>;
    launch("add_all_votes", &add_all_votes<Cell>, {plan.vote_blocks, plan.threads, kSharedBytes},
           stream, work, request);
    launch("sum_all_rows", &sum_all_rows<Cell>, {plan.row_blocks, plan.threads, kSharedBytes},
           stream, work);
    launch("finish_all", &finish_all<Cell>, {plan.row_blocks, plan.threads, kSharedBytes}, stream,
           work);
  });
}

}  // namespace stratoperf::cuda::consensus
