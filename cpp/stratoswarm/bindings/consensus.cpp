#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bindings/bindings.hpp"
#include "stratoswarm/bindings/consensus_arrays.hpp"
#include "stratoswarm/consensus/round.hpp"
#include "stratoswarm/consensus/round_operation.hpp"

namespace stratoperf::bindings {
namespace {

using consensus::Outcome;
using consensus::Parameters;
using consensus::Rotation;
using consensus::Round;
using consensus::RoundOperation;
using consensus::Votes;

Parameters parameters_of(std::uint32_t nodes, std::uint32_t proposals, std::uint32_t values,
                         std::uint32_t round, std::uint32_t quorum, unsigned threads,
                         std::uint64_t capacity, const std::string& instruction_set) {
  return {.limits = {nodes, proposals, values, round},
          .quorum = quorum,
          .threads = threads,
          .capacity = capacity,
          .instructions = consensus::instruction_set(instruction_set)};
}

DecidedArrays decide(Round& round, const Column& voter, const Column& proposal, const Column& value,
                     const Column& vote_round) {
  const Votes votes = votes_of(voter, proposal, value, vote_round);
  Outcome outcome;
  {
    const py::gil_scoped_release release;
    round.decide(votes, outcome);
  }
  return DecidedArrays(outcome);
}

std::pair<py::capsule, std::shared_ptr<Rotation>> operation(const Round& round,
                                                            const Batches& batches) {
  auto rotation = std::make_shared<Rotation>();
  for (const Votes& votes : batches_of(batches)) {
    rotation->slots.push_back({votes});
  }
  // A round of its own: measuring does not disturb the one that the caller goes on using.
  auto native = std::make_unique<RoundOperation>(round.parameters(), rotation);
  return {operation_capsule(std::move(native), py::tuple(batches)), std::move(rotation)};
}

}  // namespace

void register_consensus(py::module_ module) {
  module.def(
      "instruction_sets",
      [] {
        std::vector<std::string> names;
        for (const consensus::InstructionSet& set : consensus::instruction_sets()) {
          names.emplace_back(set.name);
        }
        return names;
      },
      "The instruction sets that this CPU has and the round has loops for, the widest first.");

  register_outcome(module);
  py::class_<Rotation, std::shared_ptr<Rotation>>(
      module, "Rotation", "The last outcome for each batch of an operation; read it while at rest.")
      .def("__len__", [](const Rotation& rotation) { return rotation.slots.size(); })
      .def(
          "outcome",
          [](const Rotation& rotation, std::size_t index) {
            const Rotation::Slot& slot = rotation.slots.at(index);
            return slot.decided ? std::optional<DecidedArrays>(slot.outcome) : std::nullopt;
          },
          py::arg("index"), "What `Round.decide` returns; None when the batch had no turn.");

  py::class_<Round>(module, "Round", "A quorum round that keeps its buffers.")
      .def(py::init([](std::uint32_t nodes, std::uint32_t proposals, std::uint32_t values,
                       std::uint32_t round, std::uint32_t quorum, unsigned threads,
                       std::uint64_t capacity, const std::string& instruction_set) {
             return std::make_unique<Round>(parameters_of(nodes, proposals, values, round, quorum,
                                                          threads, capacity, instruction_set));
           }),
           py::kw_only(), py::arg("nodes"), py::arg("proposals"), py::arg("values"),
           py::arg("round"), py::arg("quorum"), py::arg("threads"), py::arg("capacity"),
           py::arg("instruction_set"))
      .def("decide", &decide, py::arg("voter"), py::arg("proposal"), py::arg("value"),
           py::arg("round"))
      .def("operation", &operation, py::arg("batches"),
           "The capsule that rotates through (voter, proposal, value, round) tuples, and its "
           "Rotation.");
}

}  // namespace stratoperf::bindings
