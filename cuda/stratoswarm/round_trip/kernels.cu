#include "cuda/device/doorbell.cuh"
#include "cuda/device/launch.hpp"
#include "cuda/stratoswarm/round_trip/kernels.hpp"

namespace stratoperf::cuda::round_trip {
namespace {

// Receipts are made out behind the answer, where the host does not wait for them. The additions
// return nothing, so the kernel does not wait for them either.
__device__ void keep(Receipts* receipts, const Receipts& more) {
  atomic_add(&receipts->requests, more.requests);
  atomic_add(&receipts->sum, more.sum);
  atomic_add(&receipts->busy_ns, more.busy_ns);
}

// What is expected over the bus, host to host, as a launch: the host's write that tells the device
// of new work; two round trips, in which the device reads the entry of its queue and then the
// commands with the arguments, both of which lie in host memory; and the write of the answer. As a
// graph, one round trip more: the kernel reads the request, since the arguments that a graph has
// recorded cannot carry it. A round trip takes about 1 us, a write on its way half of that.
__global__ void __launch_bounds__(kWarp) answer_one(Desk desk, std::uint64_t request) {
  if (threadIdx.x != 0) {
    return;
  }
  if (request == 0) {
    request = load_acquire_system(&desk.mailbox->request.value);
  }
  answer(desk.mailbox, request);
  Receipts receipts = {};
  receipts.add(request);
  keep(desk.receipts, receipts);
}

// What is expected over the bus, host to host: one round trip, the read that sees the request,
// begun half a round trip after it on average, since the host's write stays in its own memory; and
// the write of the answer.
//
// A barrier of the whole block between the request and the answer, as a round has it that all of
// its warps work on, would add some 20 ns; it is left out, since this is the floor.
__global__ void __launch_bounds__(kWarp)
    answer_all(Desk desk, std::uint64_t handled, std::uint64_t number, std::uint64_t life_ns) {
  if (threadIdx.x != 0) {
    return;
  }
  const std::uint64_t deadline = global_nanoseconds() + life_ns;
  Receipts receipts = {};
  for (;;) {
    const std::uint64_t request = next_request(desk.mailbox, handled, deadline);
    if (request == 0) {
      break;
    }
    const std::uint64_t seen = global_nanoseconds();
    answer(desk.mailbox, request);
    receipts.busy_ns += global_nanoseconds() - seen;
    receipts.add(request);
    handled = request;
  }
  keep(desk.receipts, receipts);
  leave(desk.mailbox, number);
}

}  // namespace

void load_answer() { load("answer_one", &answer_one); }

void launch_answer(const Desk& desk, std::uint64_t request, const Stream& stream) {
  launch("answer_one", &answer_one, {1, kWarp, 0}, stream, desk, request);
}

void launch_persistent(const Desk& desk, std::uint64_t handled, std::uint64_t number,
                       std::uint64_t life_ns, const Stream& stream) {
  launch("answer_all", &answer_all, {1, kWarp, 0}, stream, desk, handled, number, life_ns);
}

}  // namespace stratoperf::cuda::round_trip
