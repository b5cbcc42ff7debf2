// What the two binding files of the memory tiers share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bindings/bindings.hpp"
#include "core/operation.hpp"
#include "core/stop_signal.hpp"
#include "stratoswarm/memory/store.hpp"

namespace stratoperf::bindings {

// Runs work that polls a stop token without the GIL; Ctrl-C sets the token, and whatever Python's
// handler raises is raised here. Signals are Python's business on its main thread alone.
template <typename Work>
void interruptible(bool main_thread, Work&& work) {
  std::int32_t token = 0;
  bool stopped = false;
  {
    std::optional<StopOnSignal> guard;
    if (main_thread) {
      guard.emplace(token);
    }
    const py::gil_scoped_release release;
    try {
      work([&token] { return __atomic_load_n(&token, __ATOMIC_RELAXED) != 0; });
    } catch (const memory::Stopped&) {
      stopped = true;
    }
  }
  if (main_thread && PyErr_CheckSignals() != 0) {
    throw py::error_already_set();
  }
  if (stopped) {
    throw memory::TierError("a signal stopped the work on memory tiers");
  }
}

// Binds the operations onto tiers.
void register_memory_operations(py::module_& module,
                                py::class_<memory::Store, std::shared_ptr<memory::Store>>& store);
}  // namespace stratoperf::bindings
