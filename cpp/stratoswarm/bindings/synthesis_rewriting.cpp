#include <cstdint>
#include <optional>
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

// The texts that an Expander made, as new objects.
struct ExpandedObjects {
  explicit ExpandedObjects(const Expanded& expanded)
      : begin(to_array(expanded.begin)), text(expanded.bytes.data(), expanded.bytes.size()) {}

  py::array_t<std::uint64_t> begin;
  py::bytes text;
};

// The table that a step made, as new arrays.
struct RewrittenArrays {
  explicit RewrittenArrays(const Rewritten& rewritten)
      : columns(rewritten.table), comparisons(rewritten.comparisons) {}

  ColumnArrays columns;
  std::uint64_t comparisons;
};

// Texts of slots and the template that they go into.
class BoundExpander {
 public:
  BoundExpander(const std::vector<std::pair<py::bytes, std::uint32_t>>& pieces,
                const py::bytes& tail, const py::bytes& texts, const Array<std::uint64_t>& begin,
                std::uint32_t slots, unsigned threads)
      : owners_(py::make_tuple(texts, begin)), tail_(tail), threads_(threads) {
    for (const auto& [literal, slot] : pieces) {
      pieces_.push_back({literal, slot});
    }
    const auto begins = view(begin, "begin");
    texts_ = {PyBytes_AS_STRING(texts.ptr()), begins.data(), slots,
              slots == 0 ? 0 : (begins.size() - 1) / slots};
  }

  Expander expander() const { return Expander(pieces_, tail_, texts_, threads_); }

  ExpandedObjects expand() const {
    Expanded expanded;
    {
      const py::gil_scoped_release release;
      expander().expand(expanded);
    }
    return ExpandedObjects(expanded);
  }

  std::pair<BoundStep, std::shared_ptr<Last<Expanded>>> step() const {
    auto last = std::make_shared<Last<Expanded>>();
    auto native = std::make_unique<ExpandStep>(expander(), last);
    return {BoundStep(std::move(native), owners_), std::move(last)};
  }

 private:
  py::tuple owners_;
  std::vector<Piece> pieces_ = {};
  std::string tail_;
  Texts texts_ = {};
  unsigned threads_;
};

// nodes, children, root, slots, open_layouts
using TemplateArrays =
    std::tuple<Numbers32, Numbers32, std::uint32_t, std::uint32_t, std::uint32_t>;

Template template_of(const TemplateArrays& arrays) {
  static_assert(sizeof(TemplateNode) == 7 * sizeof(std::uint32_t));
  const auto& [nodes, children, root, slots, open_layouts] = arrays;
  return {reinterpret_cast<const TemplateNode*>(view(nodes, "nodes").data()),
          view(children, "children").data(), root, slots, open_layouts};
}

// A table and a pattern whose hits are replaced.
class Rewriter {
 public:
  Rewriter(
      const Columns& columns, const std::optional<Numbers32>& subtree, const Numbers32& parent,
      const std::tuple<Numbers32, Numbers32, Numbers32, std::uint32_t>& patterns,
      const std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>>&
          captures)
      : owners_(py::make_tuple(columns, subtree, parent, patterns)) {
    rewrite_.nodes = nodes_of(columns, subtree);
    rewrite_.parent = view(parent, "parent").data();
    rewrite_.patterns = std::apply(patterns_of, patterns);
    for (const auto& [node, place, first, last] : captures) {
      rewrite_.captures.push_back({node, place, first, last});
    }
  }

  std::vector<Captured> captured(const Numbers32& rows) const {
    const auto hits = view(rows, "rows");
    return synthesis::capture(rewrite_.nodes, rewrite_.patterns, rewrite_.captures, hits.data(),
                              hits.size());
  }

  // Flat: first row and number of rows, slot after slot, hit after hit.
  py::array_t<std::uint32_t> capture(const Numbers32& rows) const {
    std::vector<std::uint32_t> flat;
    for (const Captured& each : captured(rows)) {
      flat.push_back(each.first);
      flat.push_back(each.count);
    }
    return to_array(std::move(flat));
  }

  ColumnArrays graft(const TemplateArrays& replacement, const Numbers32& rows,
                     const Numbers32& layouts) const {
    const auto hits = view(rows, "rows");
    NewTable table;
    Grafter(rewrite_.nodes, rewrite_.parent)
        .graft(template_of(replacement), hits.data(), hits.size(), captured(rows),
               view(layouts, "layouts").data(), table);
    return ColumnArrays(std::move(table));
  }

  std::pair<BoundStep, std::shared_ptr<Last<Rewritten>>> step(
      const TemplateArrays& replacement, const Array<std::uint8_t>& allowed,
      const Numbers32& layouts, std::uint64_t hits, unsigned threads, std::uint64_t max_hits,
      const std::string& instruction_set) const {
    Rewrite rewrite = rewrite_;
    rewrite.replacement = template_of(replacement);
    rewrite.allowed = view(allowed, "allowed").data();
    rewrite.layouts = view(layouts, "layouts").data();
    rewrite.hits = hits;
    auto last = std::make_shared<Last<Rewritten>>();
    auto native = std::make_unique<TransformStep>(
        rewrite,
        MatchParameters{threads, false, max_hits, synthesis::instruction_set(instruction_set)},
        last);
    return {BoundStep(std::move(native), py::make_tuple(owners_, replacement, allowed, layouts)),
            std::move(last)};
  }

 private:
  py::tuple owners_;
  Rewrite rewrite_ = {};
};

}  // namespace

void register_rewriting(py::module_& module) {
  py::class_<ExpandedObjects>(module, "Expanded", "Expansions, one after the other.")
      .def_readonly("begin", &ExpandedObjects::begin, "Of each in `text`, and the end.")
      .def_readonly("text", &ExpandedObjects::text);
  py::class_<Last<Expanded>, std::shared_ptr<Last<Expanded>>>(
      module, "LastExpansion", "What a step made last; read it while at rest.")
      .def(
          "outcome",
          [](const Last<Expanded>& last) {
            return last.complete ? std::optional<ExpandedObjects>(last.outcome) : std::nullopt;
          },
          "What `Expander.expand` returns; None before the first complete iteration.");

  py::class_<BoundExpander>(module, "Expander", "Fills a template many times.")
      .def(py::init<const std::vector<std::pair<py::bytes, std::uint32_t>>&, const py::bytes&,
                    const py::bytes&, const Array<std::uint64_t>&, std::uint32_t, unsigned>(),
           py::kw_only(), py::arg("pieces"), py::arg("tail"), py::arg("texts"), py::arg("begin"),
           py::arg("slots"), py::arg("threads"))
      .def("expand", &BoundExpander::expand)
      .def("step", &BoundExpander::step, "The step that expands, and its LastExpansion.");

  py::class_<RewrittenArrays>(module, "Transformed", "A table that a step made.")
      .def_readonly("columns", &RewrittenArrays::columns)
      .def_readonly("comparisons", &RewrittenArrays::comparisons, "Those evaluated.");
  py::class_<Last<Rewritten>, std::shared_ptr<Last<Rewritten>>>(
      module, "LastTransform", "The table that a step made last; read it while at rest.")
      .def(
          "outcome",
          [](const Last<Rewritten>& last) {
            return last.complete ? std::optional<RewrittenArrays>(last.outcome) : std::nullopt;
          },
          "None before the first complete iteration.");

  py::class_<Rewriter>(module, "Rewriter", "Replaces the hits of a pattern by a template.")
      .def(py::init<const Columns&, const std::optional<Numbers32>&, const Numbers32&,
                    const std::tuple<Numbers32, Numbers32, Numbers32, std::uint32_t>&,
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
