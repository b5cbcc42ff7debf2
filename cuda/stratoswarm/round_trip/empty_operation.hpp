// The round trip of a kernel that does nothing: the floor beside which work on a device is judged.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/operation.hpp"
#include "cuda/device/doorbell.hpp"
#include "cuda/device/event.hpp"
#include "cuda/device/graph.hpp"
#include "cuda/device/memory.hpp"
#include "cuda/device/mode.hpp"
#include "cuda/device/stream.hpp"
#include "cuda/stratoswarm/round_trip/kernels.hpp"

namespace stratoperf::cuda::round_trip {

// One iteration is one request and its answer, host to host, made and waited for exactly as the
// rounds of consensus::Engine are.
class EmptyOperation final : public Operation {
 public:
  // Throws Unavailable when there is no device, OutOfMemory.
  explicit EmptyOperation(Mode mode, std::uint64_t life_ns = kLifeNanoseconds);

  void run(std::uint64_t n) override;
  // That the kernels have seen exactly the requests that the host made, each of them once.
  Verification verify() override;
  bool has_device_time() const override { return true; }
  // Events around the work in the stream; of a persistent kernel, from seeing to having answered.
  double device_time(std::uint64_t n) override;

 private:
  struct Events {
    Event first;
    Event last;
  };

  // Both are false when the sampler said stop; the request then stays in flight.
  bool round_trip(Events* events);
  bool settle();
  void prepare();
  void submit(std::uint64_t request);
  void rest();
  Receipts receipts() const;
  Desk desk() const { return {doorbell_.mailbox(), receipts_.data<Receipts>()}; }

  Mode mode_;
  std::uint64_t life_ns_;
  std::function<bool()> stop_;
  Stream stream_;
  DeviceMemory receipts_;
  Receipts made_ = {};        // what the receipts of the kernels must say
  std::uint64_t last_ = 0;    // the request that was made last
  std::uint32_t number_ = 0;  // of it; a request has room for the lower bits of a count
  std::unique_ptr<Graph> graph_ = nullptr;
  Doorbell doorbell_;  // last, so that no kernel runs when the others go
};

}  // namespace stratoperf::cuda::round_trip
