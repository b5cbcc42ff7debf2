#include "core/fork.hpp"

#include <pthread.h>

#include <atomic>
#include <string>

namespace stratoperf {
namespace {

std::atomic<std::uint64_t> forks = 0;

// How many forks lie between this process and the one that asked first.
std::uint64_t count_of_forks() {
  static const int failed =
      pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(failed);
  return forks.load(std::memory_order_relaxed);
}

}  // namespace

OwnProcess::OwnProcess() : forks_(count_of_forks()) {}

bool OwnProcess::is_this() const { return forks_ == count_of_forks(); }

void OwnProcess::require(const char* what) const {
  if (!is_this()) {
    throw Forked(std::string(what) +
                 " made in the process that forked this one and cannot be used here; make another "
                 "here, or start processes with the method 'spawn'");
  }
}

}  // namespace stratoperf
