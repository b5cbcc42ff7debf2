// The topics of the CUDA module. What its binding files share with those of the core is in
// bindings/bindings.hpp of the core.
//
// Every class is registered with py::module_local(): the tests load this module and its emulated
// twin into one process, and pybind11 knows types by their names.
#pragma once

#include "bindings/bindings.hpp"

namespace stratoperf::cuda::bindings {

namespace py = pybind11;

// Calls all of the following.
void register_topics(py::module_& module);

void register_errors();
void register_consensus(py::module_ module);
void register_copy(py::module_ module);
void register_device(py::module_ module);
void register_integer_rate(py::module_ module);
void register_memory(py::module_ module);
void register_round_trip(py::module_ module);
void register_synthesis(py::module_ module);

}  // namespace stratoperf::cuda::bindings
