// Arrays of Python as the tables and patterns of the synthesis workload.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"
#include "stratoswarm/synthesis/rules.hpp"
#include "stratoswarm/synthesis/steps.hpp"

namespace stratoperf::bindings {

// The columns of a new table, as new arrays.
struct ColumnArrays {
  template <typename Table>
  explicit ColumnArrays(Table table)
      : kind(to_array(std::move(table.kind))),
        value(to_array(std::move(table.value))),
        count(to_array(std::move(table.count))),
        first_child(to_array(std::move(table.first_child))),
        parent(to_array(std::move(table.parent))),
        layout(to_array(std::move(table.layout))) {}

  py::array_t<std::uint32_t> kind;
  py::array_t<std::uint32_t> value;
  py::array_t<std::uint32_t> count;
  py::array_t<std::uint32_t> first_child;
  py::array_t<std::uint32_t> parent;
  py::array_t<std::uint32_t> layout;
};

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
      throw std::invalid_argument(
          "steps: one belongs to another operation; make new steps for each operation");
    }
    return std::move(step_);
  }
  const py::object& owners() const { return owners_; }

 private:
  std::unique_ptr<synthesis::Step> step_;
  py::object owners_;
};

using Numbers32 = Array<std::uint32_t>;

// Columns of a NodeTable, which has checked them: kind, value, count, first_child, layout.
using Columns = std::tuple<Numbers32, Numbers32, Numbers32, Numbers32, Numbers32>;

inline synthesis::Nodes nodes_of(const Columns& columns,
                                 const std::optional<Numbers32>& subtree = std::nullopt) {
  const auto& [kind, value, count, first_child, layout] = columns;
  const auto kinds = view(kind, "kind");
  return {kinds.data(),
          view(value, "value").data(),
          view(count, "count").data(),
          view(first_child, "first_child").data(),
          view(layout, "layout").data(),
          subtree ? view(*subtree, "subtree").data() : nullptr,
          static_cast<std::uint32_t>(kinds.size())};
}

// The arrays of CompiledPatterns.
inline synthesis::Patterns patterns_of(const Numbers32& nodes, const Numbers32& begin,
                                       const Numbers32& layout_sets, std::uint32_t layout_words) {
  static_assert(sizeof(synthesis::PatternNode) == 7 * sizeof(std::uint32_t));
  const auto begins = view(begin, "begin");
  return {reinterpret_cast<const synthesis::PatternNode*>(view(nodes, "nodes").data()),
          begins.data(), view(layout_sets, "layout_sets").data(), layout_words,
          static_cast<std::uint32_t>(begins.size() - 1)};
}

// The hits of patterns, as new arrays.
struct HitArrays {
  template <typename Hits>
  explicit HitArrays(const Hits& hits)
      : begin(to_array(hits.begin)),
        rows(
            to_array(std::vector<std::uint32_t>(hits.rows.data(), hits.rows.data() + hits.size()))),
        comparisons(hits.comparisons),
        avoided(hits.avoided) {}

  py::array_t<std::uint64_t> begin;
  py::array_t<std::uint32_t> rows;
  std::uint64_t comparisons;
  std::uint64_t avoided;
};

// Each module has a class of its own.
inline void register_hits(py::module_& module) {
  py::class_<HitArrays>(module, "Hits", "The hits of patterns.", py::module_local())
      .def_readonly("begin", &HitArrays::begin, "Of each pattern in `rows`, and the end.")
      .def_readonly("rows", &HitArrays::rows)
      .def_readonly("comparisons", &HitArrays::comparisons, "Those evaluated.")
      .def_readonly("avoided", &HitArrays::avoided,
                    "First comparisons that the index of types made needless.");
}

}  // namespace stratoperf::bindings
