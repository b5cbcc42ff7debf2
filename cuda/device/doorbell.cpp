#include "cuda/device/doorbell.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "cuda/device/error.hpp"
#include "cuda/device/process.hpp"

namespace stratoperf::cuda {
namespace {

// Looks at the answer between two looks at the stop token and the clock: below 1 us together.
constexpr int kSpins = 16;

// How often the driver is asked whether the kernel still runs: a call takes microseconds.
constexpr auto kCheck = std::chrono::milliseconds(1);

std::uint64_t load(const MailboxWord& word) {
  return __atomic_load_n(&word.value, __ATOMIC_ACQUIRE);
}

void store(MailboxWord& word, std::uint64_t value) {
  __atomic_store_n(&word.value, value, __ATOMIC_RELEASE);
}

// Leaves the core to its other thread for a moment.
void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

Doorbell::Doorbell(const Stream& stream)
    : stream_(stream), memory_(stream.device(), sizeof(Mailbox)) {}

Doorbell::~Doorbell() {
  if (!in_own_process()) {
    return;  // the mailbox is the parent's
  }
  store(words().request, kStopRequest);
  static_cast<void>(cudaStreamSynchronize(stream_.get()));
}

void Doorbell::serve(Start start) {
  dismiss();
  start_ = std::move(start);
  try {
    this->start();
  } catch (...) {
    start_ = nullptr;
    throw;
  }
}

void Doorbell::dismiss() {
  if (!serves()) {
    return;
  }
  // Until the kernel has seen this, no other request may take its place.
  store(words().request, kStopRequest);
  start_ = nullptr;
  handled_ = request_;
  stream_.synchronize();
}

void Doorbell::rest() noexcept {
  // What is in flight must not be replaced; the kernel ends by itself then.
  if (in_own_process() && serves() && !in_flight()) {
    store(words().request, kStopRequest);
  }
}

void Doorbell::start() {
  if (!in_flight()) {
    store(words().request, handled_);  // no longer kStopRequest
  }
  start_(handled_, ++number_);
}

std::uint64_t Doorbell::ring(std::uint32_t slot, std::uint32_t count) {
  sequence_ = sequence_ % 255 + 1;
  request_ = make_request(sequence_, slot, count);
  store(words().request, request_);
  return request_;
}

bool Doorbell::answered() {
  if (load(words().answer) != request_) {
    return false;
  }
  handled_ = request_;
  return true;
}

bool Doorbell::wait(const Stop& stop) {
  auto next_check = std::chrono::steady_clock::now() + kCheck;
  while (in_flight()) {
    for (int i = 0; i < kSpins; ++i) {
      if (answered()) {
        return true;
      }
      pause();
    }
    if (stop && stop()) {
      return answered();
    }
    // Only a persistent kernel writes `exited`, and no request may wait for one that has ended.
    const bool ended = serves() && load(words().exited) == number_;
    const auto now = std::chrono::steady_clock::now();
    if (ended || now >= next_check) {
      look_after_kernel();
      next_check = now + kCheck;
      std::this_thread::yield();
    }
  }
  return true;
}

// Starts a persistent kernel again that has ended by itself. Throws Error when no kernel is left
// that could answer.
void Doorbell::look_after_kernel() {
  try {
    // In this order: a kernel that answers does so before it ends.
    const bool idle = stream_.idle();
    const bool ended = serves() && load(words().exited) == number_;
    if (answered()) {
      return;
    }
    if (ended) {
      start();
    } else if (idle) {
      throw Error(cudaErrorUnknown, "the kernel on device " +
                                        std::to_string(stream_.device().value) +
                                        " ended without answering; run it under compute-sanitizer");
    }
  } catch (...) {
    start_ = nullptr;
    handled_ = request_;
    throw;
  }
}

}  // namespace stratoperf::cuda
