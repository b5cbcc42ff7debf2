#include "cuda/device/launch.hpp"
#include "cuda/stratoswarm/consensus/block_round.cuh"
#include "cuda/stratoswarm/consensus/kernels.hpp"

namespace stratoperf::cuda::consensus {
namespace {

constexpr unsigned kMaxThreads = kMaxWarps * kWarp;

// One round. Round trips over the bus: the votes, and before them the request where it is read from
// the mailbox. Clearing the cells hides behind the votes.
template <typename Cell>
__global__ void __launch_bounds__(kMaxThreads) decide_block(Work work, std::uint64_t request) {
  BlockRound<Cell> round(work);
  if (request == 0) {
    request =
        round.spread(threadIdx.x == 0 ? load_acquire_system(&work.mailbox->request.value) : 0);
    round.decide(request, [&] {
      round.clear_cells();
      __syncthreads();
    });
  } else {
    round.decide(request, [&] {
      round.clear_cells();
      if (threadIdx.x == 0) {
        round.clear_totals();
      }
      __syncthreads();
    });
  }
  if (threadIdx.x == 0) {
    round.answer(request);
  }
}

// Rounds until it is told to end, or its life is over. Round trips over the bus: the request, and
// the votes. The cells are cleared behind the answer of the round before.
template <typename Cell>
__global__ void __launch_bounds__(kMaxThreads)
    serve_block(Work work, std::uint64_t handled, std::uint64_t number, std::uint64_t life_ns) {
  const std::uint64_t deadline = global_nanoseconds() + life_ns;
  BlockRound<Cell> round(work);
  round.clear_cells();
  for (;;) {
    if (threadIdx.x == 0) {
      handled = next_request(work.mailbox, handled, deadline);
      round.set_seen(global_nanoseconds());
    }
    const std::uint64_t request = round.spread(handled);
    if (request == 0) {
      break;
    }
    round.decide(request, [] {});
    if (threadIdx.x == 0) {
      round.answer(request);
    }
  }
  if (threadIdx.x == 0) {
    leave(work.mailbox, number);
  }
}

}  // namespace

void prepare_block(const Plan& plan, std::size_t shared_bytes) {
  with_block_cell(plan.cell, [&](auto* type) {
    using Cell = std::remove_pointer_t<decltype(type)>;
    load("decide_block", &decide_block<Cell>);
    allow_shared_memory("decide_block", &decide_block<Cell>, shared_bytes);
    allow_shared_memory("serve_block", &serve_block<Cell>, shared_bytes);
  });
}

void launch_block(const Plan& plan, const Work& work, std::uint64_t request, const Stream& stream) {
  with_block_cell(plan.cell, [&](auto* type) {
    using Cell = std::remove_pointer_t<decltype(type)>;
    launch("decide_block", &decide_block<Cell>, {1, plan.threads, plan.shared_bytes}, stream, work,
           request);
  });
}

void launch_persistent(const Plan& plan, const Work& work, std::uint64_t handled,
                       std::uint64_t number, std::uint64_t life_ns, const Stream& stream) {
  with_block_cell(plan.cell, [&](auto* type) {
    using Cell = std::remove_pointer_t<decltype(type)>;
    launch("serve_block", &serve_block<Cell>, {1, plan.threads, plan.shared_bytes}, stream, work,
           handled, number, life_ns);
  });
}

}  // namespace stratoperf::cuda::consensus
