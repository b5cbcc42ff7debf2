// The topics of the CUDA module. What its binding files share with those of the core is in
// bindings/bindings.hpp of the core.
#pragma once

#include "bindings/bindings.hpp"

namespace stratoperf::cuda::bindings {

namespace py = pybind11;

// One per topic; module.cpp calls them.
void register_errors();
void register_device(py::module_ module);

}  // namespace stratoperf::cuda::bindings
