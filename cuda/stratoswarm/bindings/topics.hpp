// The topics of the CUDA module that are workloads.
#pragma once

#include "bindings/bindings.hpp"

namespace stratoperf::cuda::bindings {

namespace py = pybind11;

void register_consensus(py::module_ module);
void register_copy(py::module_ module);
void register_integer_rate(py::module_ module);
void register_memory(py::module_ module);
void register_round_trip(py::module_ module);
void register_synthesis(py::module_ module);

}  // namespace stratoperf::cuda::bindings
