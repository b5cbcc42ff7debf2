#include "core/stop_signal.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>

namespace stratoperf {
namespace {

constexpr std::array<int, 4> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// How deep measurements may nest (a measured callable that measures); deeper ones only lose the
// quick stop of the inner native loop.
constexpr std::size_t kMaxDepth = 8;

std::array<std::atomic<std::int32_t*>, kMaxDepth> tokens = {};
std::atomic<std::size_t> depth = 0;
std::array<struct sigaction, kSignals.size()> previous = {};
std::array<bool, kSignals.size()> installed = {};

void on_signal(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  for (auto& slot : tokens) {
    if (std::int32_t* token = slot.load(std::memory_order_acquire)) {
      __atomic_store_n(token, 1, __ATOMIC_RELAXED);
    }
  }
  errno = saved_errno;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    if (kSignals[i] != signal) {
      continue;
    }
    if ((previous[i].sa_flags & SA_SIGINFO) != 0) {
      previous[i].sa_sigaction(signal, info, context);
    } else {
      previous[i].sa_handler(signal);
    }
  }
}

void install() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], nullptr, &previous[i]);
    const bool siginfo = (previous[i].sa_flags & SA_SIGINFO) != 0;
    installed[i] =
        siginfo || (previous[i].sa_handler != SIG_DFL && previous[i].sa_handler != SIG_IGN);
    if (installed[i]) {
      struct sigaction action = previous[i];
      action.sa_flags |= SA_SIGINFO;
      action.sa_sigaction = on_signal;
      sigaction(kSignals[i], &action, nullptr);
    }
  }
}

void restore() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction current = {};
    sigaction(kSignals[i], nullptr, &current);
    // A handler that was replaced meanwhile (by the measured code) is its owner's business.
    if (installed[i] && (current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == on_signal) {
      sigaction(kSignals[i], &previous[i], nullptr);
    }
  }
}

}  // namespace

StopOnSignal::StopOnSignal(std::int32_t& token) {
  const std::size_t level = depth.fetch_add(1);
  if (level < kMaxDepth) {
    tokens[level].store(&token, std::memory_order_release);
  }
  if (level == 0) {
    install();
  }
}

StopOnSignal::~StopOnSignal() {
  const std::size_t level = depth.fetch_sub(1) - 1;
  if (level == 0) {
    restore();
  }
  if (level < kMaxDepth) {
    tokens[level].store(nullptr, std::memory_order_release);
  }
}

}  // namespace stratoperf
