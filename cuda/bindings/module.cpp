#include "bindings/topics.hpp"

PYBIND11_MODULE(_cuda, module) {
  using namespace stratoperf::cuda::bindings;
  module.doc() = "CUDA backend of stratoperf. Importing it calls no driver.";
  register_errors();
  register_device(module.def_submodule("device", "The devices of this machine."));
}
