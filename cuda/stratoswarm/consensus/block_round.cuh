// A round by one block, with its cells in shared memory.
//
// What bounds it, on an H100 or H200 behind PCIe 5.0 x16:
// - The bus. A read over it takes about 1 us, and one is unavoidable: the votes, after the request
//   that tells how many there are. 10,000 votes are 160 KB: 3 us at the 50 GB/s of the bus, if one
//   multiprocessor can have 50 KB of reads under way; hence two groups of loads in each thread.
// - Shared memory. 32 banks take one atomic addition each a cycle, or one thread after another
// where
//   lanes of a warp meet in a bank: about 3 cycles for 32 random ones, so 1000 cycles for 10,000
//   votes, 0.6 us, behind the reads.
// - The rows: four steps of 32 voters and a ballot for each value, 100 rows by 32 warps, 0.3 us.
// - The answer is written to the host's memory, which nobody waits for but the last store. It
//   leaves in whole lines where it can.
#pragma once

#include <cstdint>

#include "cuda/device/doorbell.cuh"
#include "cuda/stratoswarm/consensus/cells.cuh"
#include "cuda/stratoswarm/consensus/rows.cuh"
#include "cuda/stratoswarm/consensus/shared.hpp"
#include "cuda/stratoswarm/consensus/work.hpp"

namespace stratoperf::cuda::consensus {

template <typename Cell>
class BlockRound {
 public:
  using Word = typename Cell::Word;

  __device__ explicit BlockRound(const Work& work)
      : work_(work),
        limits_(work.layout.limits),
        cell_(make_cell<Cell>(work.count_bits, limits_.values)),
        warps_(blockDim.x / kWarp) {
    unsigned char* const memory = shared_memory();
    const SharedLayout layout = shared_layout(limits_, warps_, sizeof(Word));
    totals_ = reinterpret_cast<BlockTotals*>(memory);
    tallies_ = reinterpret_cast<std::uint32_t*>(memory + layout.tallies);
    cells_ = reinterpret_cast<Word*>(memory + layout.cells);
  }

  // Thread 0 tells all others what to decide. Synchronizes.
  __device__ std::uint64_t spread(std::uint64_t request) {
    if (threadIdx.x == 0) {
      totals_->request = request;
      clear_totals();
    }
    __syncthreads();
    return totals_->request;
  }

  // By thread 0, before a barrier.
  __device__ void clear_totals() {
    for (std::uint32_t& passed : totals_->passed) {
      passed = 0;
    }
    totals_->accepted = 0;
    totals_->equivocal_votes = 0;
    totals_->header.device_ns = 0;
    totals_->header.lost_votes = 0;
  }

  // By all threads, before a barrier.
  __device__ void clear_cells() {
    const std::uint32_t cells = limits_.nodes * limits_.proposals;
    for (std::uint32_t i = threadIdx.x; i < cells; i += blockDim.x) {
      cells_[i] = 0;
    }
  }

  // Decides the batch of a request. `before_adding` is called while the first votes are under way.
  // The cells are zero again at the end.
  template <typename BeforeAdding>
  __device__ void decide(std::uint64_t request, BeforeAdding&& before_adding) {
    const std::uint64_t count = request_count(request);
    unsigned char* const slot = work_.slots + request_slot(request) * work_.layout.stride;
    VoteAdder<Cell> adder(cell_, limits_, votes_in(slot, count), cells_);
    add_votes(adder, threadIdx.x, blockDim.x, before_adding);
    for (std::uint32_t check = 0; check < kOwnReasons; ++check) {
      add_total(&totals_->passed[check], adder.passed().checks[check]);
    }
    __syncthreads();
    sum_rows(slot);
    __syncthreads();
    if (warp_number() == 0) {
      write_header(request, count);
    }
  }

  // By thread 0, once all of the answer has been written: see `decide`.
  __device__ void answer(std::uint64_t request) {
    stratoperf::cuda::answer(work_.mailbox, request);
  }

  // By thread 0 before the end of `decide`: when it saw the request, by the device's clock.
  __device__ void set_seen(std::uint64_t nanoseconds) { seen_ = nanoseconds; }

 private:
  // Adds up what the lanes of a warp have.
  __device__ void add_total(std::uint32_t* total, std::uint32_t value) {
    const std::uint32_t sum = warp_sum(value);
    if (lane_number() == 0 && sum != 0) {
      atomicAdd(total, sum);
    }
  }

  // All rows, as many at a time as there are warps.
  __device__ void sum_rows(unsigned char* slot) {
    auto* const equivocators = reinterpret_cast<Equivocator*>(slot + work_.layout.equivocators);
    std::uint32_t accepted = 0;
    std::uint32_t equivocal_votes = 0;
    std::uint32_t listed = 0;
    std::uint32_t parity = 0;
    for (std::uint32_t first = 0; first < limits_.proposals; first += warps_, parity ^= 1) {
      const std::uint32_t proposal = first + warp_number();
      const bool has_row = proposal < limits_.proposals;
      RowSums sums;
      if (has_row) {
        sums = sum_own_row(proposal, parity);
        accepted += sums.accepted;
        equivocal_votes += sums.equivocal_votes;
      }
      if (lane_number() == 0) {
        totals_->equivocators[parity][warp_number()] = sums.equivocators;
      }
      __syncthreads();
      write_rows(slot, first, parity);
      const std::uint32_t found =
          lane_number() < warps_ ? totals_->equivocators[parity][lane_number()] : 0;
      const std::uint32_t up_to = inclusive_sum(found);
      const std::uint32_t before = __shfl_sync(kAllLanes, up_to - found, warp_number());
      if (has_row) {
        Word* const row = cells_ + proposal * limits_.nodes;
        if (sums.equivocators != 0) {
          list_equivocators(cell_, row, proposal, 0, limits_.nodes, equivocators + listed + before);
        }
        __syncwarp();
        for (std::uint32_t voter = lane_number(); voter < limits_.nodes; voter += kWarp) {
          row[voter] = 0;
        }
      }
      listed += __shfl_sync(kAllLanes, up_to, kWarp - 1);
    }
    if (lane_number() == 0 && accepted != 0) {
      atomicAdd(&totals_->accepted, accepted);
    }
    add_total(&totals_->equivocal_votes, equivocal_votes);
    if (threadIdx.x == 0) {
      totals_->header.equivocators = listed;
    }
  }

  // Leaves tallies and decision of the warp's row in shared memory.
  __device__ RowSums sum_own_row(std::uint32_t proposal, std::uint32_t parity) {
    const std::uint32_t lane = lane_number();
    std::uint32_t* const tallies = row_tallies(parity) + warp_number() * limits_.values;
    const bool in_lanes = limits_.values <= kLaneValues;
    if (!in_lanes) {
      for (std::uint32_t value = lane; value < limits_.values; value += kWarp) {
        tallies[value] = 0;
      }
      __syncwarp();
    }
    const RowSums sums =
        sum_row(cell_, limits_, cells_ + proposal * limits_.nodes, limits_.nodes, tallies);
    std::int64_t decided = -1;
    if (in_lanes) {
      if (lane < limits_.values) {
        tallies[lane] = sums.tally;
      }
      decided = winner(sums, limits_, work_.quorum);
    } else {
      __syncwarp();
      decided = winner_among(tallies);
    }
    if (lane == 0) {
      totals_->decided[parity][warp_number()] = decided;
    }
    return sums;
  }

  // The value with a quorum; at most one has it. In lane 0.
  __device__ std::int64_t winner_among(const std::uint32_t* tallies) {
    std::uint32_t next_to_winner = 0;
    for (std::uint32_t value = lane_number(); value < limits_.values; value += kWarp) {
      if (tallies[value] >= work_.quorum) {
        next_to_winner = value + 1;
      }
    }
    return std::int64_t{warp_sum(next_to_winner)} - 1;
  }

  // Writes the rows that were summed up last.
  __device__ void write_rows(unsigned char* slot, std::uint32_t first, std::uint32_t parity) {
    auto* const decided = reinterpret_cast<std::int64_t*>(slot + work_.layout.decided);
    auto* const tallies = reinterpret_cast<std::uint32_t*>(slot + work_.layout.tallies);
    const std::uint32_t left = limits_.proposals - first;
    const std::uint32_t rows = left < warps_ ? left : warps_;
    if (threadIdx.x < rows) {
      decided[first + threadIdx.x] = totals_->decided[parity][threadIdx.x];
    }
    const std::uint64_t begin = std::uint64_t{first} * limits_.values;
    for (std::uint32_t i = threadIdx.x; i < rows * limits_.values; i += blockDim.x) {
      tallies[begin + i] = row_tallies(parity)[i];
    }
  }

  __device__ std::uint32_t inclusive_sum(std::uint32_t value) {
    for (unsigned distance = 1; distance < kWarp; distance *= 2) {
      const std::uint32_t below = __shfl_up_sync(kAllLanes, value, distance);
      value += lane_number() >= distance ? below : 0;
    }
    return value;
  }

  // By warp 0: one store of a whole line.
  __device__ void write_header(std::uint64_t request, std::uint64_t count) {
    Header& header = totals_->header;
    if (threadIdx.x == 0) {
      fill_header(&header, count, totals_->passed, totals_->accepted, totals_->equivocal_votes,
                  header.equivocators);
      if (seen_ != 0) {
        header.device_ns = global_nanoseconds() - seen_;
      }
    }
    __syncwarp();
    constexpr std::uint32_t kWords = sizeof(Header) / sizeof(std::uint64_t);
    if (threadIdx.x < kWords) {
      auto* const target =
          reinterpret_cast<std::uint64_t*>(&work_.headers[request_slot(request)].header);
      target[threadIdx.x] = reinterpret_cast<const std::uint64_t*>(&header)[threadIdx.x];
    }
    __syncwarp();
  }

  __device__ std::uint32_t* row_tallies(std::uint32_t parity) {
    return tallies_ + parity * warps_ * limits_.values;
  }

  const Work& work_;
  Limits limits_;
  Cell cell_;
  std::uint32_t warps_;
  std::uint64_t seen_ = 0;
  BlockTotals* totals_;
  std::uint32_t* tallies_;
  Word* cells_;
};

}  // namespace stratoperf::cuda::consensus
