#include <pybind11/typing.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"
#include "stratoswarm/bindings/synthesis_tables.hpp"
#include "stratoswarm/bindings/synthesis_trees.hpp"
#include "stratoswarm/synthesis/match_step.hpp"
#include "stratoswarm/synthesis/matcher.hpp"
#include "stratoswarm/synthesis/subtrees.hpp"

namespace stratoperf::bindings {
namespace {

using synthesis::Hits;
using synthesis::Last;
using synthesis::Layout;
using synthesis::Matcher;
using synthesis::MatchParameters;
using synthesis::MatchStep;
using synthesis::NodeColumns;
using synthesis::Step;
using synthesis::StepsOperation;

// Hands on what Python raised within the Encoder, which does not know pybind11.
template <typename Call>
auto raising(Call&& call) {
  try {
    return call();
  } catch (const PythonError&) {
    throw py::error_already_set();
  }
}

ColumnArrays encode(Encoder& encoder, const py::typing::Iterable<py::object>& roots) {
  NodeColumns columns;
  for (const py::handle root : roots) {
    raising([&] { encoder.encode(root.ptr(), columns); });
  }
  return ColumnArrays(std::move(columns));
}

// For each type of nodes its class and its fields: name and role.
using Specification = py::typing::List<
    py::typing::Tuple<py::type, py::typing::List<py::typing::Tuple<py::str, py::int_>>>>;

std::optional<std::int64_t> optional_id(std::int64_t id) {
  return id < 0 ? std::nullopt : std::optional(id);
}

void register_encoder(py::module_& module) {
  py::class_<ColumnArrays>(module, "Columns", "The columns of a node table.")
      .def_readonly("kind", &ColumnArrays::kind)
      .def_readonly("value", &ColumnArrays::value)
      .def_readonly("count", &ColumnArrays::count)
      .def_readonly("first_child", &ColumnArrays::first_child)
      .def_readonly("parent", &ColumnArrays::parent)
      .def_readonly("layout", &ColumnArrays::layout);
  py::class_<Encoder>(module, "Encoder", "Numbers the values and layouts of syntax trees.")
      .def(py::init([](const Specification& specification) {
             return raising([&] { return std::make_unique<Encoder>(specification.ptr()); });
           }),
           py::arg("specification"))
      .def("encode", &encode, py::arg("roots"),
           "The columns of the trees, one after the other. A tree is asked for when the one before "
           "it is done with.")
      .def_property_readonly(
          "values",
          [](const Encoder& encoder) {
            return py::reinterpret_borrow<py::typing::List<py::object>>(encoder.values());
          })
      .def("layouts",
           [](Encoder& encoder) {
             std::vector<py::typing::Tuple<py::int_, py::ellipsis>> layouts;
             for (const Layout& layout : encoder.layouts().all()) {
               layouts.emplace_back(py::cast(layout));
             }
             return layouts;
           })
      .def_property_readonly("layout_count",
                             [](Encoder& encoder) { return encoder.layouts().all().size(); })
      .def(
          "value_id",
          [](Encoder& encoder, const py::object& value, bool add) {
            return optional_id(raising([&] { return encoder.value_id(value.ptr(), add); }));
          },
          py::arg("value"), py::arg("add"))
      .def(
          "layout_id",
          [](Encoder& encoder, const Layout& layout, bool add) {
            return optional_id(encoder.layouts().id(layout, add));
          },
          py::arg("layout"), py::arg("add"));
}

// A Matcher and whatever owns the arrays that it reads.
class BoundMatcher {
 public:
  BoundMatcher(const Columns& columns, const std::optional<Numbers32>& subtree,
               const Numbers32& nodes, const Numbers32& begin, const Numbers32& layout_sets,
               std::uint32_t layout_words, const MatchParameters& parameters)
      : owners_(py::make_tuple(columns, subtree, nodes, begin, layout_sets)),
        matcher_(nodes_of(columns, subtree), patterns_of(nodes, begin, layout_sets, layout_words),
                 parameters) {}

  HitArrays match() {
    Hits hits;
    {
      const py::gil_scoped_release release;
      matcher_.match(hits);
    }
    return HitArrays(hits);
  }

  std::pair<BoundStep, std::shared_ptr<Last<Hits>>> step() const {
    auto last = std::make_shared<Last<Hits>>();
    // A matcher of its own: measuring does not disturb the one that the caller goes on using.
    auto native = std::make_unique<MatchStep>(matcher_.nodes(), matcher_.patterns(),
                                              matcher_.parameters(), last);
    return {BoundStep(std::move(native), owners_), std::move(last)};
  }

 private:
  py::tuple owners_;
  Matcher matcher_;
};

// The capsule that takes the steps, one after the other, in each iteration.
py::capsule operation_of(const py::typing::List<BoundStep>& steps) {
  std::vector<std::unique_ptr<Step>> taken;
  py::list owners;
  for (const py::handle item : steps) {
    auto& step = item.cast<BoundStep&>();
    owners.append(step.owners());
    taken.push_back(step.take());
  }
  return operation_capsule(std::make_unique<StepsOperation>(std::move(taken)), std::move(owners));
}

void register_matcher(py::module_& module) {
  register_hits(module);
  py::class_<Last<Hits>, std::shared_ptr<Last<Hits>>>(
      module, "LastMatch", "What a step found last; read it while at rest.")
      .def(
          "outcome",
          [](const Last<Hits>& last) {
            return last.complete ? std::optional<HitArrays>(last.outcome) : std::nullopt;
          },
          "What `Matcher.match` returns; None before the first complete match.");

  py::class_<BoundMatcher>(module, "Matcher", "Finds the hits of patterns and keeps its buffers.")
      .def(py::init([](const Columns& columns, const std::optional<Numbers32>& subtree,
                       const Numbers32& nodes, const Numbers32& begin, const Numbers32& layout_sets,
                       std::uint32_t layout_words, unsigned threads, bool by_kind,
                       std::uint64_t max_hits, const std::string& instruction_set) {
             return std::make_unique<BoundMatcher>(
                 columns, subtree, nodes, begin, layout_sets, layout_words,
                 MatchParameters{threads, by_kind, max_hits,
                                 synthesis::instruction_set(instruction_set)});
           }),
           py::kw_only(), py::arg("columns"), py::arg("subtree"), py::arg("nodes"),
           py::arg("begin"), py::arg("layout_sets"), py::arg("layout_words"), py::arg("threads"),
           py::arg("by_kind"), py::arg("max_hits"), py::arg("instruction_set"))
      .def("match", &BoundMatcher::match)
      .def("step", &BoundMatcher::step, "The step that matches, and its LastMatch.");
}

}  // namespace

void register_synthesis(py::module_ module) {
  module.def(
      "instruction_sets",
      [] {
        std::vector<std::string> names;
        for (const synthesis::InstructionSet& set : synthesis::instruction_sets()) {
          names.emplace_back(set.name);
        }
        return names;
      },
      "The instruction sets that this CPU has and matching has loops for, the widest first.");
  module.def(
      "number_subtrees",
      [](const Columns& columns) {
        return to_array(synthesis::number_subtrees(nodes_of(columns)));
      },
      py::arg("columns"), "A number for each node, equal for equal trees.");
  module.attr("most_pattern_nodes") = synthesis::kMostPatternNodes;
  py::class_<BoundStep>(module, "Step", "What an operation does, or a part of it.");
  module.def("operation", &operation_of, py::arg("steps"),
             "The capsule that takes these steps in each iteration; each can be taken once.");
  register_encoder(module);
  register_matcher(module);
  register_rewriting(module);
}

}  // namespace stratoperf::bindings
