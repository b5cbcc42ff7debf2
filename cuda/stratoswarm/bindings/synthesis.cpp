#include <pybind11/typing.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cuda/stratoswarm/bindings/topics.hpp"
#include "cuda/stratoswarm/synthesis/match_operation.hpp"
#include "cuda/stratoswarm/synthesis/matcher.hpp"
#include "stratoswarm/bindings/synthesis_tables.hpp"

namespace stratoperf::cuda::bindings {
namespace {

using stratoperf::bindings::Columns;
using stratoperf::bindings::HitArrays;
using stratoperf::bindings::nodes_of;
using stratoperf::bindings::Numbers32;
using stratoperf::bindings::operation_capsule;
using stratoperf::bindings::patterns_of;
using synthesis::Corpus;
using synthesis::Hits;
using synthesis::LastMatch;
using synthesis::Matcher;
using synthesis::MatchOperation;

// The arrays are copied to the device, so nothing has to stay alive with it.
std::unique_ptr<Matcher> make_matcher(const Columns& columns,
                                      const std::optional<Numbers32>& subtree,
                                      const Numbers32& nodes, const Numbers32& begin,
                                      const Numbers32& layout_sets, std::uint32_t layout_words,
                                      std::uint64_t max_hits, std::uint64_t capacity,
                                      std::uint32_t pass_cells) {
  const stratoperf::synthesis::Nodes table = nodes_of(columns, subtree);
  const auto patterns = patterns_of(nodes, begin, layout_sets, layout_words);
  const py::gil_scoped_release release;  // the first use of a device takes long
  return std::make_unique<Matcher>(
      std::make_shared<const Corpus>(table, patterns),
      synthesis::Settings{
          .max_hits = max_hits, .capacity = capacity, .limits = {.pass_cells = pass_cells}});
}

HitArrays match(Matcher& matcher) {
  Hits hits;
  {
    const py::gil_scoped_release release;
    matcher.find(hits);
  }
  return HitArrays(hits);
}

std::optional<HitArrays> hits_of(const LastMatch& last) {
  if (!last.complete) {
    return std::nullopt;
  }
  Hits hits;
  {
    const py::gil_scoped_release release;
    last.matcher.read(hits);
  }
  return HitArrays(hits);
}

// A matcher of its own: measuring does not disturb the one that the caller goes on using.
std::pair<py::capsule, std::shared_ptr<LastMatch>> make_match_operation(const Matcher& matcher,
                                                                        bool resident) {
  std::shared_ptr<LastMatch> last;
  {
    const py::gil_scoped_release release;
    synthesis::Settings settings = matcher.settings();
    settings.resident = resident;
    last = std::make_shared<LastMatch>(matcher.corpus(), settings);
  }
  return {operation_capsule(std::make_unique<MatchOperation>(last), py::none()), last};
}

py::typing::Dict<py::str, py::int_> plan_of(const Matcher& matcher) {
  py::typing::Dict<py::str, py::int_> plan;
  plan["threads_per_block"] = synthesis::kThreads;
  plan["blocks"] = matcher.blocks();
  plan["passes"] = matcher.plan().passes;
  plan["patterns_per_tile"] = matcher.plan().tile;
  return plan;
}

}  // namespace

void register_synthesis(py::module_ module) {
  stratoperf::bindings::register_hits(module);
  py::class_<LastMatch, std::shared_ptr<LastMatch>>(
      module, "LastMatch", "What an operation found last; read it while at rest.",
      py::module_local())
      .def("outcome", &hits_of,
           "What `Matcher.match` returns; None before the first complete match.");

  py::class_<Matcher>(module, "Matcher", "Finds the hits of patterns and keeps its memory.",
                      py::module_local())
      .def(py::init(&make_matcher), py::kw_only(), py::arg("columns"), py::arg("subtree"),
           py::arg("nodes"), py::arg("begin"), py::arg("layout_sets"), py::arg("layout_words"),
           py::arg("max_hits"), py::arg("capacity") = synthesis::Settings{}.capacity,
           py::arg("pass_cells") = synthesis::kPassCells)
      .def("match", &match)
      .def("operation", &make_match_operation, py::arg("resident") = false,
           "The capsule that matches, and its LastMatch. Resident: hits stay in device memory.")
      .def_property_readonly("plan", &plan_of, "How the work is spread over the device.");
}

}  // namespace stratoperf::cuda::bindings
