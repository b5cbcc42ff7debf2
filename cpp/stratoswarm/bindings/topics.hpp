// The platform's topics of the module; module.cpp calls them.
#pragma once

#include "bindings/bindings.hpp"

namespace stratoperf::bindings {

void register_consensus(py::module_ module);
void register_containers(py::module_ module);
void register_kernel(py::module_ module);
void register_memory(py::module_ module);
void register_synthesis(py::module_ module);

}  // namespace stratoperf::bindings
