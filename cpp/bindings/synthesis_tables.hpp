// Arrays of Python as the tables and patterns of the synthesis workload.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "bindings/bindings.hpp"
#include "workloads/synthesis/rules.hpp"
#include "workloads/synthesis/steps.hpp"

namespace stratoperf::bindings {

// Expanding and transforming; called by register_synthesis.
void register_rewriting(py::module_& module);

// A step of an operation, and whatever owns what it reads.
class [[gnu::visibility("hidden")]] BoundStep {
 public:
  BoundStep(std::unique_ptr<synthesis::Step> step, py::object owners)
      : step_(std::move(step)), owners_(std::move(owners)) {}

  // To be taken once.
  std::unique_ptr<synthesis::Step> take() {
    if (step_ == nullptr) {
      throw std::invalid_argument("steps: one is in another operation already; make a new one");
    }
    return std::move(step_);
  }
  const py::object& owners() const { return owners_; }

 private:
  std::unique_ptr<synthesis::Step> step_;
  py::object owners_;
};

// Columns of a NodeTable, which has checked them: kind, value, count, first_child, layout.
using Columns = std::tuple<py::array, py::array, py::array, py::array, py::array>;

// `subtree` may be None.
synthesis::Nodes nodes_of(const Columns& columns, const py::object& subtree);

// The arrays of CompiledPatterns.
synthesis::Patterns patterns_of(const py::array& nodes, const py::array& begin,
                                const py::array& layout_sets, std::uint32_t layout_words);

}  // namespace stratoperf::bindings
