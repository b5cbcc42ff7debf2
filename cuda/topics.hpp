// What the CUDA module holds. Its emulated twin, which the tests load, holds the same.
#pragma once

#include "cuda/bindings/topics.hpp"
#include "cuda/stratoswarm/bindings/topics.hpp"

namespace stratoperf::cuda::bindings {

inline void register_topics(py::module_& module) {
  stratoperf::bindings::register_errors();
  register_consensus(module.def_submodule("consensus", "Quorum rounds on a device."));
  register_copy(module.def_submodule("copy", "Copies between the host and a device."));
  register_device(module.def_submodule("device", "The devices of this machine."));
  register_integer_rate(
      module.def_submodule("integer_rate", "What the integer lanes of a device can do."));
  register_memory(module.def_submodule("memory", "Blocks in memory tiers, those of devices too."));
  register_round_trip(
      module.def_submodule("round_trip", "Round trips of kernels that do nothing."));
  register_synthesis(module.def_submodule("synthesis", "Matching syntax trees on a device."));
}

}  // namespace stratoperf::cuda::bindings
