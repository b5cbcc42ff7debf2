// Launching the kernels of a round.
#pragma once

#include <cstdint>

#include "cuda/device/stream.hpp"
#include "cuda/stratoswarm/consensus/plan.hpp"
#include "cuda/stratoswarm/consensus/work.hpp"

namespace stratoperf::cuda::consensus {

// Loads the kernels of a plan for one block, and lets them use so much shared memory; before the
// first launch. All users of a device share this setting, so all of them ask for the most that
// there is.
void prepare_block(const Plan& plan, std::size_t shared_bytes);

// Queues deciding a batch by one block. Request 0: the kernel reads it from the mailbox.
void launch_block(const Plan& plan, const Work& work, std::uint64_t request, const Stream& stream);

// Queues a kernel that serves one request after another; see Doorbell::Start.
void launch_persistent(const Plan& plan, const Work& work, std::uint64_t handled,
                       std::uint64_t number, std::uint64_t life_ns, const Stream& stream);

// Loads the kernels of a plan for the whole device; before they are recorded.
void load_grid(const Plan& plan);

// Queues deciding a batch by the whole device. Request as above.
void launch_grid(const Plan& plan, const Work& work, std::uint64_t request, const Stream& stream);

}  // namespace stratoperf::cuda::consensus
