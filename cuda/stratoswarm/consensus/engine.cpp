#include "cuda/stratoswarm/consensus/engine.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "cuda/stratoswarm/consensus/kernels.hpp"

namespace stratoperf::cuda::consensus {

Engine::Engine(const Settings& settings, std::uint64_t capacity, std::uint64_t slots, Source source)
    : settings_(settings),
      facts_(facts({})),
      slots_(stream_.device(), settings.limits, capacity, slots, source),
      doorbell_(stream_) {
  if (!settings.one_block) {
    facts_.shared_bytes_per_block = 0;
  }
}

void Engine::reserve(std::uint64_t capacity) {
  if (capacity <= slots_.capacity()) {
    return;
  }
  doorbell_.dismiss();
  slots_.grow(stream_.device(), capacity);
  graphs_.clear();
}

bool Engine::can_decide(Mode mode, std::uint64_t count) const {
  // A persistent kernel has room for the largest batch that the slots have.
  return mode != Mode::kPersistent ||
         fits_one_block(settings_.limits, std::max(count, slots_.capacity()), facts_);
}

Plan Engine::plan(std::uint64_t count) const { return plan_for(settings_.limits, count, facts_); }

bool Engine::decide(std::uint32_t slot, std::uint64_t count, Mode mode, const Stop& stop) {
  return drain(stop) && decide_with(plan(count), slot, count, mode, stop, nullptr);
}

bool Engine::decide_timed(std::uint32_t slot, std::uint64_t count, Mode mode, const Stop& stop,
                          double& device_ns) {
  if (events_ == nullptr) {
    events_ = std::make_unique<Events>();
  }
  device_ns = 0;
  return drain(stop) && decide_with(plan(count), slot, count, mode, stop, &device_ns);
}

bool Engine::drain(const Stop& stop) { return !doorbell_.in_flight() || doorbell_.wait(stop); }

// Decides again when short counters have overflowed.
bool Engine::decide_with(const Plan& plan, std::uint32_t slot, std::uint64_t count, Mode mode,
                         const Stop& stop, double* device_ns) {
  if (!attempt(plan, slot, count, mode, stop, device_ns)) {
    return false;
  }
  return slots_.header(slot).lost_votes == 0 ||
         attempt(without_short_counters(plan, settings_.limits, count), slot, count, mode, stop,
                 device_ns);
}

bool Engine::attempt(const Plan& plan, std::uint32_t slot, std::uint64_t count, Mode mode,
                     const Stop& stop, double* device_ns) {
  // A persistent kernel tells its time itself.
  Events* const events =
      device_ns == nullptr || mode == Mode::kPersistent ? nullptr : events_.get();
  try {
    prepare(plan, mode);
    const std::uint64_t request = doorbell_.ring(slot, static_cast<std::uint32_t>(count));
    if (events != nullptr) {
      events->first.record(stream_);
      submit(plan, mode, request);
      events->last.record(stream_);
    } else {
      submit(plan, mode, request);
    }
    if (!doorbell_.wait(stop)) {
      return false;
    }
    if (device_ns != nullptr) {
      *device_ns += events != nullptr ? Event::elapsed_ns(events->first, events->last)
                                      : static_cast<double>(slots_.header(slot).device_ns);
    }
    return true;
  } catch (...) {
    doorbell_.give_up();
    grid_.distrust();
    throw;
  }
}

// All that a mode needs before a request is made.
void Engine::prepare(const Plan& plan, Mode mode) {
  if (mode == Mode::kPersistent) {
    serve(consensus::plan_for(settings_.limits, slots_.capacity(), facts_));
    return;
  }
  // A persistent kernel would take the request as well.
  doorbell_.dismiss();
  if (!plan.one_block) {
    if (grid_.reserve(plan, settings_.limits, settings_.segment, stream_.device())) {
      graphs_.clear();
    }
    grid_.restore(stream_);
  } else if (std::ranges::find(prepared_, plan.cell) == prepared_.end()) {
    prepare_block(plan, facts_.shared_bytes_per_block);
    prepared_.push_back(plan.cell);
  }
  if (mode == Mode::kGraph) {
    graph(plan);
  }
}

void Engine::submit(const Plan& plan, Mode mode, std::uint64_t request) {
  if (mode == Mode::kLaunch) {
    enqueue(plan, request);
  } else if (mode == Mode::kGraph) {
    graph(plan).launch(stream_);
  }
}

// Queues one round. Request 0: the kernels read it from the mailbox.
void Engine::enqueue(const Plan& plan, std::uint64_t request) {
  if (plan.one_block) {
    launch_block(plan, work(plan), request, stream_);
    return;
  }
  launch_grid(plan, work(plan), request, stream_);
  grid_.clear_table(plan, settings_.limits, stream_);
}

void Engine::serve(const Plan& plan) {
  if (!plan.one_block) {
    throw std::invalid_argument(
        "mode: 'persistent' decides batches of at most " + std::to_string(kBlockVotes) +
        " votes whose cells (nodes * proposals) fit the " +
        std::to_string(facts_.shared_bytes_per_block) +
        " bytes of shared memory of one block, got " + std::to_string(slots_.capacity()) +
        " votes and " + std::to_string(cells_of(settings_.limits)) +
        " cells; use mode='graph', or 'auto'");
  }
  if (doorbell_.serves() && served_ == plan) {
    return;
  }
  prepare_block(plan, facts_.shared_bytes_per_block);
  doorbell_.serve([this, plan](std::uint64_t handled, std::uint64_t number) {
    launch_persistent(plan, work(plan), handled, number, settings_.life_ns, stream_);
  });
  served_ = plan;
}

const Graph& Engine::graph(const Plan& plan) {
  const auto known =
      std::ranges::find(graphs_, plan, &std::pair<Plan, std::unique_ptr<Graph>>::first);
  if (known != graphs_.end()) {
    return *known->second;
  }
  if (!plan.one_block) {
    load_grid(plan);  // `prepare` has loaded those of one block
  }
  auto recorded = std::make_unique<Graph>(stream_, [&] { enqueue(plan, 0); });
  return *graphs_.emplace_back(plan, std::move(recorded)).second;
}

Work Engine::work(const Plan& plan) const {
  Work work = {};
  work.quorum = settings_.quorum;
  work.count_bits = plan.count_bits;
  work.mailbox = doorbell_.mailbox();
  slots_.describe(work);
  if (!plan.one_block) {
    grid_.describe(plan, work);
  }
  return work;
}

}  // namespace stratoperf::cuda::consensus
