#include <pybind11/typing.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"
#include "stratoswarm/bindings/synthesis_encoder.hpp"
#include "stratoswarm/bindings/synthesis_tables.hpp"
#include "stratoswarm/synthesis/match_step.hpp"
#include "stratoswarm/synthesis/matcher.hpp"
#include "stratoswarm/synthesis/subtrees.hpp"

namespace stratoperf::bindings {
namespace {

using synthesis::Hits;
using synthesis::Last;
using synthesis::Matcher;
using synthesis::MatchParameters;
using synthesis::MatchStep;
using synthesis::Step;
using synthesis::StepsOperation;

// (kind, value, count, first_child, parent, layout), each uint32.
py::tuple encode(Encoder& encoder, const py::typing::Iterable<py::object>& roots) {
  NodeColumns columns;
  for (const py::handle root : roots) {
    encoder.encode(py::reinterpret_borrow<py::object>(root), columns);
  }
  return py::make_tuple(to_array(std::move(columns.kind)), to_array(std::move(columns.value)),
                        to_array(std::move(columns.count)),
                        to_array(std::move(columns.first_child)),
                        to_array(std::move(columns.parent)), to_array(std::move(columns.layout)));
}

std::optional<std::int64_t> optional_id(std::int64_t id) {
  return id < 0 ? std::nullopt : std::optional(id);
}

void register_encoder(py::module_& module) {
  py::class_<Encoder>(module, "Encoder", "Numbers the values and layouts of syntax trees.")
      .def(py::init<const py::list&>(), py::arg("specification"))
      .def("encode", &encode, py::arg("roots"),
           "The columns of the trees, one after the other: kind, value, count, first_child, "
           "parent, layout. A tree is asked for when the one before it is done with.")
      .def_property_readonly("values", &Encoder::values)
      .def("layouts",
           [](const Encoder& encoder) {
             std::vector<py::tuple> layouts;
             for (const Encoder::Layout& layout : encoder.layouts()) {
               layouts.push_back(py::tuple(py::cast(layout)));
             }
             return layouts;
           })
      .def_property_readonly("layout_count",
                             [](const Encoder& encoder) { return encoder.layouts().size(); })
      .def(
          "value_id",
          [](Encoder& encoder, const py::object& value, bool add) {
            return optional_id(encoder.value_id(value, add));
          },
          py::arg("value"), py::arg("add"))
      .def(
          "layout_id",
          [](Encoder& encoder, const Encoder::Layout& layout, bool add) {
            return optional_id(encoder.layout_id(layout, add));
          },
          py::arg("layout"), py::arg("add"));
}

// A Matcher and whatever owns the arrays that it reads.
class BoundMatcher {
 public:
  BoundMatcher(const Columns& columns, const py::object& subtree, const py::array& nodes,
               const py::array& begin, const py::array& layout_sets, std::uint32_t layout_words,
               const MatchParameters& parameters)
      : owners_(py::make_tuple(columns, subtree, nodes, begin, layout_sets)),
        matcher_(nodes_of(columns, subtree), patterns_of(nodes, begin, layout_sets, layout_words),
                 parameters) {}

  py::tuple match() {
    Hits hits;
    {
      const py::gil_scoped_release release;
      matcher_.match(hits);
    }
    return to_tuple(hits);
  }

  py::tuple step() const {
    auto last = std::make_shared<Last<Hits>>();
    // A matcher of its own: measuring does not disturb the one that the caller goes on using.
    auto native = std::make_unique<MatchStep>(matcher_.nodes(), matcher_.patterns(),
                                              matcher_.parameters(), last);
    return py::make_tuple(BoundStep(std::move(native), owners_), std::move(last));
  }

  // (begin, rows, comparisons, avoided) as new arrays.
  static py::tuple to_tuple(const Hits& hits) {
    const std::uint32_t* const rows = hits.rows.data();
    return py::make_tuple(to_array(hits.begin),
                          to_array(std::vector<std::uint32_t>(rows, rows + hits.size())),
                          hits.comparisons, hits.avoided);
  }

 private:
  py::tuple owners_;
  Matcher matcher_;
};

// The capsule that takes the steps, one after the other, in each iteration.
py::capsule operation(const py::list& steps) {
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
  py::class_<Last<Hits>, std::shared_ptr<Last<Hits>>>(
      module, "LastMatch", "What a step found last; read it while at rest.")
      .def(
          "outcome",
          [](const Last<Hits>& last) -> py::object {
            return last.complete ? py::object(BoundMatcher::to_tuple(last.outcome)) : py::none();
          },
          "What `Matcher.match` returns; None before the first complete match.");

  py::class_<BoundMatcher>(module, "Matcher", "Finds the hits of patterns and keeps its buffers.")
      .def(py::init([](const Columns& columns, const py::object& subtree, const py::array& nodes,
                       const py::array& begin, const py::array& layout_sets,
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
      .def("match", &BoundMatcher::match,
           "(begin of each pattern's hits, their rows, comparisons evaluated, avoided)")
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
        return to_array(synthesis::number_subtrees(nodes_of(columns, py::none())));
      },
      py::arg("columns"), "A number for each node, equal for equal trees.");
  module.attr("most_pattern_nodes") = synthesis::kMostPatternNodes;
  py::class_<BoundStep>(module, "Step", "What an operation does, or a part of it.");
  module.def("operation", &operation, py::arg("steps"),
             "The capsule that takes these steps in each iteration; each can be taken once.");
  register_encoder(module);
  register_matcher(module);
  register_rewriting(module);
}

}  // namespace stratoperf::bindings
