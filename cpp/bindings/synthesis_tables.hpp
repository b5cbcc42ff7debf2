// Arrays of Python as the tables and patterns of the synthesis workload.
#pragma once

#include <cstdint>
#include <tuple>

#include "bindings/bindings.hpp"
#include "workloads/synthesis/rules.hpp"

namespace stratoperf::bindings {

// Expanding and transforming; called by register_synthesis.
void register_rewriting(py::module_& module);

// Columns of a NodeTable, which has checked them: kind, value, count, first_child, layout.
using Columns = std::tuple<py::array, py::array, py::array, py::array, py::array>;

// `subtree` may be None.
synthesis::Nodes nodes_of(const Columns& columns, const py::object& subtree);

// The arrays of CompiledPatterns.
synthesis::Patterns patterns_of(const py::array& nodes, const py::array& begin,
                                const py::array& layout_sets, std::uint32_t layout_words);

}  // namespace stratoperf::bindings
