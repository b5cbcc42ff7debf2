// The instrument's topics of the CUDA module. What its binding files share with those of the core
// is in bindings/bindings.hpp of the core.
//
// Every class is registered with py::module_local(): the tests load this module and its emulated
// twin into one process, and pybind11 knows types by their names.
#pragma once

#include "bindings/bindings.hpp"

namespace stratoperf::cuda::bindings {

namespace py = pybind11;

void register_device(py::module_ module);

}  // namespace stratoperf::cuda::bindings
