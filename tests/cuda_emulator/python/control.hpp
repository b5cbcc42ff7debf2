// What the tests do to the emulated machine, bound for Python.
#pragma once

#include "bindings/bindings.hpp"

namespace stratoperf::bindings {

void register_emulator(py::module_ module);

}  // namespace stratoperf::bindings
