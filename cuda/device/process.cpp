#include "cuda/device/process.hpp"

#include <unistd.h>

#include <atomic>
#include <string>

#include "cuda/device/error.hpp"

namespace stratoperf::cuda {
namespace {

std::atomic<pid_t> owner = 0;

}  // namespace

void require_own_process() {
  pid_t first = 0;
  const pid_t self = getpid();
  if (!owner.compare_exchange_strong(first, self) && first != self) {
    throw Unavailable(cudaErrorInitializationError,
                      "CUDA was initialized in process " + std::to_string(first) +
                          " before it forked this one, where it cannot work; start processes "
                          "that use CUDA with multiprocessing.get_context('spawn')");
  }
}

bool in_own_process() noexcept {
  const pid_t first = owner.load();
  return first == 0 || first == getpid();
}

}  // namespace stratoperf::cuda
