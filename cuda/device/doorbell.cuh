// The kernels' side of the doorbell.
#pragma once

#include <cstdint>

#include "cuda/device/doorbell.hpp"
#include "cuda/device/kernel.cuh"

namespace stratoperf::cuda {

// Waits for a request after the one that was handled; returns 0 when the kernel must end: told to,
// or past its deadline. For one thread of a persistent kernel. Every look is one read over the bus,
// about 1 us; it sees a request half a round trip after the host rang, on average one.
__device__ inline std::uint64_t next_request(const Mailbox* mailbox, std::uint64_t handled,
                                             std::uint64_t deadline) {
  // The deadline first: a host that rings again and again must not keep the kernel beyond it.
  while (global_nanoseconds() < deadline) {
    const std::uint64_t request = load_acquire_system(&mailbox->request.value);
    if (request == kStopRequest) {
      return 0;
    }
    if (request != handled) {
      return request;
    }
  }
  return 0;
}

// Tells the host that a request is done, and with it all that this thread wrote or saw the others
// write through a barrier. For one thread.
__device__ inline void answer(Mailbox* mailbox, std::uint64_t request) {
  store_release_system(&mailbox->answer.value, request);
}

// Tells the host that a persistent kernel has ended; its last act. For the thread that polls.
__device__ inline void leave(Mailbox* mailbox, std::uint64_t number) {
  store_release_system(&mailbox->exited.value, number);
}

}  // namespace stratoperf::cuda
