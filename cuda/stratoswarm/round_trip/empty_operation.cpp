#include "cuda/stratoswarm/round_trip/empty_operation.hpp"

#include "cuda/device/device.hpp"
#include "cuda/device/error.hpp"

namespace stratoperf::cuda::round_trip {

EmptyOperation::EmptyOperation(Mode mode, std::uint64_t life_ns)
    : mode_(mode),
      life_ns_(life_ns),
      stop_([this] { return stop_requested(); }),
      receipts_(stream_.device(), sizeof(Receipts)),
      doorbell_(stream_) {
  const CurrentDevice current(stream_.device());
  receipts_.clear(stream_);
  stream_.synchronize();
  if (mode == Mode::kGraph) {
    load_answer();
    graph_ = std::make_unique<Graph>(stream_, [this] { launch_answer(desk(), 0, stream_); });
  }
}

void EmptyOperation::run(std::uint64_t n) {
  const CurrentDevice current(stream_.device());
  for (; n > 0 && round_trip(nullptr); --n) {
  }
}

double EmptyOperation::device_time(std::uint64_t n) {
  const CurrentDevice current(stream_.device());
  if (mode_ == Mode::kPersistent) {
    // The kernel tells when it ends.
    if (!settle()) {
      return 0;
    }
    rest();
    const std::uint64_t before = receipts().busy_ns;
    run(n);
    if (!settle()) {
      return 0;
    }
    rest();
    return static_cast<double>(receipts().busy_ns - before);
  }
  Events events;
  double sum = 0;
  for (; n > 0 && round_trip(&events); --n) {
    sum += Event::elapsed_ns(events.first, events.last);
  }
  return sum;
}

Verification EmptyOperation::verify() {
  const CurrentDevice current(stream_.device());
  if (!settle()) {
    return {};  // stopped: nothing is known
  }
  rest();
  return compare(made_, receipts());
}

bool EmptyOperation::round_trip(Events* events) {
  if (stop_requested() || !settle()) {
    return false;
  }
  try {
    prepare();
    // A number of its own in every request: no answer to an earlier one can pass for it.
    last_ = doorbell_.ring(0, ++number_);
    if (events != nullptr) {
      events->first.record(stream_);
      submit(last_);
      events->last.record(stream_);
    } else {
      submit(last_);
    }
  } catch (...) {
    doorbell_.give_up();
    throw;
  }
  return settle();
}

// Waits for the request in flight, if there is one.
bool EmptyOperation::settle() {
  if (!doorbell_.in_flight()) {
    return true;
  }
  if (!doorbell_.wait(stop_)) {
    return false;
  }
  made_.add(last_);
  return true;
}

void EmptyOperation::prepare() {
  if (mode_ == Mode::kPersistent && !doorbell_.serves()) {
    doorbell_.serve([this](std::uint64_t handled, std::uint64_t number) {
      launch_persistent(desk(), handled, number, life_ns_, stream_);
    });
  }
}

void EmptyOperation::submit(std::uint64_t request) {
  if (mode_ == Mode::kLaunch) {
    launch_answer(desk(), request, stream_);
  } else if (mode_ == Mode::kGraph) {
    graph_->launch(stream_);
  }
}

// Leaves no kernel on the device.
void EmptyOperation::rest() {
  doorbell_.dismiss();
  stream_.synchronize();
}

Receipts EmptyOperation::receipts() const {
  Receipts receipts = {};
  check(cudaMemcpyAsync(&receipts, receipts_.data(), sizeof receipts, cudaMemcpyDeviceToHost,
                        stream_.get()),
        "cudaMemcpyAsync from the device", sizeof receipts);
  stream_.synchronize();
  return receipts;
}

}  // namespace stratoperf::cuda::round_trip
