// Decides the batches in slots, in any mode.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "cuda/device/doorbell.hpp"
#include "cuda/device/event.hpp"
#include "cuda/device/graph.hpp"
#include "cuda/device/mode.hpp"
#include "cuda/device/stream.hpp"
#include "cuda/stratoswarm/consensus/grid_buffers.hpp"
#include "cuda/stratoswarm/consensus/plan.hpp"
#include "cuda/stratoswarm/consensus/slots.hpp"
#include "cuda/stratoswarm/consensus/work.hpp"

namespace stratoperf::cuda::consensus {

using cuda::kModes;
using cuda::Mode;

struct Settings {
  Limits limits = {};
  std::uint32_t quorum = 0;
  std::uint64_t life_ns = kLifeNanoseconds;  // of a persistent kernel
  // For tests, which are small: the whole device decides small batches and short rows in pieces.
  bool one_block = true;  // where a batch fits
  std::uint32_t segment = kSegment;
};

// For one thread at a time. All that decides or makes room expects that the device is current, and
// throws Error when it, or a kernel, fails.
class Engine {
 public:
  // Throws Unavailable when there is no device, OutOfMemory, std::invalid_argument as Slots does.
  Engine(const Settings& settings, std::uint64_t capacity, std::uint64_t slots, Source source);

  DeviceId device() const { return stream_.device(); }
  const Stream& stream() const { return stream_; }
  const Slots& slots() const { return slots_; }
  void fill(std::uint32_t slot, const Votes& votes) { slots_.fill(slot, votes, stream_); }

  // Makes room for larger batches; slots lose what they hold. Throws OutOfMemory, and then all is
  // as before. No request may be in flight.
  void reserve(std::uint64_t capacity);

  // Whether a mode can decide batches of so many votes.
  bool can_decide(Mode mode, std::uint64_t count) const;
  Plan plan(std::uint64_t count) const;

  // Decides the batch of `count` votes in a slot. False when `stop` said so; the request is then in
  // flight until `drain` returns true. Throws std::invalid_argument for a mode that cannot.
  bool decide(std::uint32_t slot, std::uint64_t count, Mode mode, const Stop& stop);

  // The same, timed by the device: how many nanoseconds it took go to `device_ns`.
  bool decide_timed(std::uint32_t slot, std::uint64_t count, Mode mode, const Stop& stop,
                    double& device_ns);

  // Waits for a request that an interrupted call has left in flight. False when `stop` said so.
  bool drain(const Stop& stop);

  // Lets a persistent kernel end, which the next round may start again.
  void rest() noexcept { doorbell_.rest(); }

 private:
  // Around the work in the stream.
  struct Events {
    Event first;
    Event last;
  };

  // Both add to `device_ns`, where there is one, what the device took.
  bool decide_with(const Plan& plan, std::uint32_t slot, std::uint64_t count, Mode mode,
                   const Stop& stop, double* device_ns);
  bool attempt(const Plan& plan, std::uint32_t slot, std::uint64_t count, Mode mode,
               const Stop& stop, double* device_ns);
  void prepare(const Plan& plan, Mode mode);
  void submit(const Plan& plan, Mode mode, std::uint64_t request);
  void enqueue(const Plan& plan, std::uint64_t request);
  void serve(const Plan& plan);
  const Graph& graph(const Plan& plan);
  Work work(const Plan& plan) const;

  Settings settings_;
  DeviceFacts facts_;
  Stream stream_;
  Slots slots_;
  GridBuffers grid_;
  std::vector<std::pair<Plan, std::unique_ptr<Graph>>> graphs_;
  std::vector<CellKind> prepared_;
  Plan served_ = {};  // by the persistent kernel, while there is one
  std::unique_ptr<Events> events_;
  Doorbell doorbell_;  // last, so that no kernel runs when the others go
};

}  // namespace stratoperf::cuda::consensus
