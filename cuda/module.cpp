#include "cuda/topics.hpp"

PYBIND11_MODULE(_cuda, module) {
  module.doc() = "CUDA backend of stratoperf. Importing it calls no driver.";
  stratoperf::cuda::bindings::register_topics(module);
}
