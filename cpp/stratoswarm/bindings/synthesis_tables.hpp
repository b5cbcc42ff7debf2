// Arrays of Python as the tables and patterns of the synthesis workload.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "bindings/bindings.hpp"
#include "stratoswarm/synthesis/rules.hpp"
#include "stratoswarm/synthesis/steps.hpp"

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
inline synthesis::Nodes nodes_of(const Columns& columns, const py::object& subtree) {
  const auto& [kind, value, count, first_child, layout] = columns;
  const auto kinds = view<std::uint32_t>(kind, "kind");
  return {kinds.data(),
          view<std::uint32_t>(value, "value").data(),
          view<std::uint32_t>(count, "count").data(),
          view<std::uint32_t>(first_child, "first_child").data(),
          view<std::uint32_t>(layout, "layout").data(),
          subtree.is_none() ? nullptr
                            : view<std::uint32_t>(subtree.cast<py::array>(), "subtree").data(),
          static_cast<std::uint32_t>(kinds.size())};
}

// The arrays of CompiledPatterns.
inline synthesis::Patterns patterns_of(const py::array& nodes, const py::array& begin,
                                       const py::array& layout_sets, std::uint32_t layout_words) {
  static_assert(sizeof(synthesis::PatternNode) == 7 * sizeof(std::uint32_t));
  const auto begins = view<std::uint32_t>(begin, "begin");
  return {
      reinterpret_cast<const synthesis::PatternNode*>(view<std::uint32_t>(nodes, "nodes").data()),
      begins.data(), view<std::uint32_t>(layout_sets, "layout_sets").data(), layout_words,
      static_cast<std::uint32_t>(begins.size() - 1)};
}

}  // namespace stratoperf::bindings
