#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"
#include "stratoswarm/bindings/synthesis_tables.hpp"
#include "stratoswarm/synthesis/expand.hpp"
#include "stratoswarm/synthesis/transform.hpp"
#include "stratoswarm/synthesis/transform_step.hpp"

namespace stratoperf::bindings {

using synthesis::Captured;
using synthesis::Expanded;
using synthesis::Expander;
using synthesis::ExpandStep;
using synthesis::Grafter;
using synthesis::Last;
using synthesis::MatchParameters;
using synthesis::NewTable;
using synthesis::Piece;
using synthesis::Rewrite;
using synthesis::Rewritten;
using synthesis::Template;
using synthesis::TemplateNode;
using synthesis::Texts;
using synthesis::TransformStep;

namespace {

// Texts of slots and the template that they go into.
class BoundExpander {
 public:
  BoundExpander(const std::vector<std::pair<py::bytes, std::uint32_t>>& pieces,
                const py::bytes& tail, const py::bytes& texts, const py::array& begin,
                std::uint32_t slots, unsigned threads)
      : owners_(py::make_tuple(texts, begin)), tail_(tail), threads_(threads) {
    for (const auto& [literal, slot] : pieces) {
      pieces_.push_back({literal, slot});
    }
    const auto begins = view<std::uint64_t>(begin, "begin");
    texts_ = {PyBytes_AS_STRING(texts.ptr()), begins.data(), slots,
              slots == 0 ? 0 : (begins.size() - 1) / slots};
  }

  Expander expander() const { return Expander(pieces_, tail_, texts_, threads_); }

  py::tuple expand() const {
    Expanded expanded;
    {
      const py::gil_scoped_release release;
      expander().expand(expanded);
    }
    return to_tuple(expanded);
  }

  py::tuple step() const {
    auto last = std::make_shared<Last<Expanded>>();
    auto native = std::make_unique<ExpandStep>(expander(), last);
    return py::make_tuple(BoundStep(std::move(native), owners_), std::move(last));
  }

  // (begin of each expansion, and the end; their bytes)
  static py::tuple to_tuple(const Expanded& expanded) {
    return py::make_tuple(to_array(expanded.begin),
                          py::bytes(expanded.bytes.data(), expanded.bytes.size()));
  }

 private:
  py::tuple owners_;
  std::vector<Piece> pieces_ = {};
  std::string tail_;
  Texts texts_ = {};
  unsigned threads_;
};

py::tuple to_tuple(const NewTable& table) {
  return py::make_tuple(to_array(table.kind), to_array(table.value), to_array(table.count),
                        to_array(table.first_child), to_array(table.parent),
                        to_array(table.layout));
}

// nodes, children, root, slots, open_layouts
using TemplateArrays =
    std::tuple<py::array, py::array, std::uint32_t, std::uint32_t, std::uint32_t>;

Template template_of(const TemplateArrays& arrays) {
  static_assert(sizeof(TemplateNode) == 7 * sizeof(std::uint32_t));
  const auto& [nodes, children, root, slots, open_layouts] = arrays;
  return {reinterpret_cast<const TemplateNode*>(view<std::uint32_t>(nodes, "nodes").data()),
          view<std::uint32_t>(children, "children").data(), root, slots, open_layouts};
}

// A table and a pattern whose hits are replaced.
class Rewriter {
 public:
  Rewriter(
      const Columns& columns, const py::object& subtree, const py::array& parent,
      const std::tuple<py::array, py::array, py::array, std::uint32_t>& patterns,
      const std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>>&
          captures)
      : owners_(py::make_tuple(columns, subtree, parent, patterns)) {
    rewrite_.nodes = nodes_of(columns, subtree);
    rewrite_.parent = view<std::uint32_t>(parent, "parent").data();
    rewrite_.patterns = std::apply(patterns_of, patterns);
    for (const auto& [node, place, first, last] : captures) {
      rewrite_.captures.push_back({node, place, first, last});
    }
  }

  std::vector<Captured> captured(const py::array& rows) const {
    const auto hits = view<std::uint32_t>(rows, "rows");
    return synthesis::capture(rewrite_.nodes, rewrite_.patterns, rewrite_.captures, hits.data(),
                              hits.size());
  }

  // Flat: first row and number of rows, slot after slot, hit after hit.
  py::array capture(const py::array& rows) const {
    std::vector<std::uint32_t> flat;
    for (const Captured& each : captured(rows)) {
      flat.push_back(each.first);
      flat.push_back(each.count);
    }
    return to_array(std::move(flat));
  }

  py::tuple graft(const TemplateArrays& replacement, const py::array& rows,
                  const py::array& layouts) const {
    const auto hits = view<std::uint32_t>(rows, "rows");
    NewTable table;
    Grafter(rewrite_.nodes, rewrite_.parent)
        .graft(template_of(replacement), hits.data(), hits.size(), captured(rows),
               view<std::uint32_t>(layouts, "layouts").data(), table);
    return to_tuple(table);
  }

  py::tuple step(const TemplateArrays& replacement, const py::array& allowed,
                 const py::array& layouts, std::uint64_t hits, unsigned threads,
                 std::uint64_t max_hits, const std::string& instruction_set) const {
    Rewrite rewrite = rewrite_;
    rewrite.replacement = template_of(replacement);
    rewrite.allowed = view<std::uint8_t>(allowed, "allowed").data();
    rewrite.layouts = view<std::uint32_t>(layouts, "layouts").data();
    rewrite.hits = hits;
    auto last = std::make_shared<Last<Rewritten>>();
    auto native = std::make_unique<TransformStep>(
        rewrite,
        MatchParameters{threads, false, max_hits, synthesis::instruction_set(instruction_set)},
        last);
    return py::make_tuple(
        BoundStep(std::move(native), py::make_tuple(owners_, replacement, allowed, layouts)),
        std::move(last));
  }

 private:
  py::tuple owners_;
  Rewrite rewrite_ = {};
};

}  // namespace

void register_rewriting(py::module_& module) {
  py::class_<Last<Expanded>, std::shared_ptr<Last<Expanded>>>(
      module, "LastExpansion", "What a step made last; read it while at rest.")
      .def(
          "outcome",
          [](const Last<Expanded>& last) -> py::object {
            return last.complete ? py::object(BoundExpander::to_tuple(last.outcome)) : py::none();
          },
          "What `Expander.expand` returns; None before the first complete iteration.");

  py::class_<BoundExpander>(module, "Expander", "Fills a template many times.")
      .def(py::init<const std::vector<std::pair<py::bytes, std::uint32_t>>&, const py::bytes&,
                    const py::bytes&, const py::array&, std::uint32_t, unsigned>(),
           py::kw_only(), py::arg("pieces"), py::arg("tail"), py::arg("texts"), py::arg("begin"),
           py::arg("slots"), py::arg("threads"))
      .def("expand", &BoundExpander::expand, "(begin of each expansion and the end, their bytes)")
      .def("step", &BoundExpander::step, "The step that expands, and its LastExpansion.");

  py::class_<Last<Rewritten>, std::shared_ptr<Last<Rewritten>>>(
      module, "LastTransform", "The table that a step made last; read it while at rest.")
      .def(
          "outcome",
          [](const Last<Rewritten>& last) -> py::object {
            return last.complete ? py::object(py::make_tuple(to_tuple(last.outcome.table),
                                                             last.outcome.comparisons))
                                 : py::none();
          },
          "(columns, comparisons evaluated); None before the first complete iteration.");

  py::class_<Rewriter>(module, "Rewriter", "Replaces the hits of a pattern by a template.")
      .def(py::init<const Columns&, const py::object&, const py::array&,
                    const std::tuple<py::array, py::array, py::array, std::uint32_t>&,
                    const std::vector<
                        std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>>&>(),
           py::kw_only(), py::arg("columns"), py::arg("subtree"), py::arg("parent"),
           py::arg("patterns"), py::arg("captures"))
      .def("capture", &Rewriter::capture, py::arg("rows"),
           "First row and number of rows of each slot of each hit, flat.")
      .def("graft", &Rewriter::graft, py::arg("replacement"), py::arg("rows"), py::arg("layouts"),
           "The columns of the new table.")
      .def("step", &Rewriter::step, py::kw_only(), py::arg("replacement"), py::arg("allowed"),
           py::arg("layouts"), py::arg("hits"), py::arg("threads"), py::arg("max_hits"),
           py::arg("instruction_set"),
           "The step that matches and replaces, and its LastTransform.");
}

}  // namespace stratoperf::bindings
