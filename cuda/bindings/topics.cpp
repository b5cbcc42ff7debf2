#include "bindings/topics.hpp"

namespace stratoperf::cuda::bindings {

void register_topics(py::module_& module) {
  register_errors();
  register_consensus(module.def_submodule("consensus", "Quorum rounds on a device."));
  register_device(module.def_submodule("device", "The devices of this machine."));
}

}  // namespace stratoperf::cuda::bindings
