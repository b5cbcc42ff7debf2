#include "bindings/bindings.hpp"
#include "stratoswarm/bindings/topics.hpp"

PYBIND11_MODULE(_core, module) {
  using namespace stratoperf::bindings;
  module.doc() = "Native core of stratoperf.";
  register_errors();
  register_operation(module.def_submodule("operation", "Native operations."));
  register_statistics(module.def_submodule("statistics", "Statistics of series."));
  register_histogram(module.def_submodule("histogram", "The histogram."));
  register_clock(module.def_submodule("clock", "The calibrated clock."));
  register_consensus(module.def_submodule("consensus", "Quorum rounds."));
  register_containers(module.def_submodule("containers", "Containers and their helper."));
  register_synthesis(module.def_submodule("synthesis", "Node tables and patterns."));
  register_memory(module.def_submodule("memory", "Blocks in memory tiers."));
  register_kernel(module.def_submodule("kernel", "Kernel modules and system calls."));
  register_perf_counters(module.def_submodule("perf_counters", "Counters of the processor."));
  register_reference(module.def_submodule("reference", "The speed of the machine."));
  register_sampler(module.def_submodule("sampler", "The sampler."));
}
