// The twin of cuda/module.cpp: the same topics, and the emulator's controls.
#include "control.hpp"
#include "cuda/topics.hpp"

PYBIND11_MODULE(_cuda, module) {
  using namespace stratoperf::cuda::bindings;
  module.doc() = "CUDA backend of stratoperf on the emulator of its tests.";
  register_topics(module);
  stratoperf::bindings::register_emulator(
      module.def_submodule("emulator", "The emulated machine."));
}
