// Launching the kernels that do nothing but answer.
#pragma once

#include <cstdint>

#include "cuda/device/doorbell.hpp"
#include "cuda/device/stream.hpp"
#include "cuda/stratoswarm/round_trip/receipts.hpp"

namespace stratoperf::cuda::round_trip {

// What does not change from request to request.
struct Desk {
  Mailbox* mailbox;
  Receipts* receipts;  // in device memory
};

// Loads the kernel that answers one request; before it is recorded.
void load_answer();

// Queues answering one request. Request 0: the kernel reads it from the mailbox.
void launch_answer(const Desk& desk, std::uint64_t request, const Stream& stream);

// Queues a kernel that answers one request after another; see Doorbell::Start.
void launch_persistent(const Desk& desk, std::uint64_t handled, std::uint64_t number,
                       std::uint64_t life_ns, const Stream& stream);

}  // namespace stratoperf::cuda::round_trip
