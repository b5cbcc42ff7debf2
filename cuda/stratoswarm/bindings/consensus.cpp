#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cuda/device/mode.hpp"
#include "cuda/stratoswarm/bindings/topics.hpp"
#include "cuda/stratoswarm/consensus/round.hpp"
#include "cuda/stratoswarm/consensus/round_operation.hpp"
#include "stratoswarm/bindings/consensus_arrays.hpp"

namespace stratoperf::cuda::bindings {
namespace {

using consensus::FillOperation;
using consensus::Parameters;
using consensus::Rotation;
using consensus::Round;
using consensus::RoundOperation;
using consensus::Source;
using stratoperf::bindings::Batches;
using stratoperf::bindings::batches_of;
using stratoperf::bindings::Column;
using stratoperf::bindings::DecidedArrays;
using stratoperf::bindings::operation_capsule;
using stratoperf::bindings::votes_of;
using stratoperf::consensus::Outcome;
using stratoperf::consensus::Votes;

std::unique_ptr<Round> make_round(std::uint32_t nodes, std::uint32_t proposals,
                                  std::uint32_t values, std::uint32_t round, std::uint32_t quorum,
                                  std::uint64_t capacity, const std::string& mode,
                                  std::uint64_t life_ns) {
  const py::gil_scoped_release release;  // the first use of a device takes long
  return std::make_unique<Round>(Parameters{
      .settings = {.limits = {nodes, proposals, values, round},
                   .quorum = quorum,
                   .life_ns = life_ns},
      .capacity = capacity,
      .mode = mode == "auto" ? std::nullopt : std::optional(mode_named(mode)),
  });
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

// The batches are copied, so nothing has to stay alive with the operation.
std::pair<py::capsule, std::shared_ptr<Rotation>> make_round_operation(const Round& round,
                                                                       const Batches& batches,
                                                                       bool resident) {
  const std::vector<Votes> votes = batches_of(batches);
  std::shared_ptr<Rotation> rotation;
  std::unique_ptr<RoundOperation> native;
  {
    const py::gil_scoped_release release;
    rotation = std::make_shared<Rotation>(round.parameters().settings, votes,
                                          resident ? Source::kDevice : Source::kPinned);
    native = std::make_unique<RoundOperation>(rotation, round.parameters().mode);
  }
  return {operation_capsule(std::move(native), py::none()), std::move(rotation)};
}

py::capsule fill_operation(const Round& round, const Batches& batches) {
  auto native =
      std::make_unique<FillOperation>(round.parameters().settings.limits, batches_of(batches));
  return operation_capsule(std::move(native), py::tuple(batches));
}

std::optional<DecidedArrays> decided_of(Rotation& rotation, std::size_t index) {
  if (!rotation.decided.at(index)) {
    return std::nullopt;
  }
  Outcome outcome;
  {
    const py::gil_scoped_release release;
    const CurrentDevice current(rotation.engine.device());
    // A copy from the device would wait out the life of a persistent kernel.
    rotation.engine.rest();
    rotation.engine.slots().read(static_cast<std::uint32_t>(index), outcome,
                                 rotation.engine.stream());
  }
  return DecidedArrays(outcome);
}

py::typing::Dict<py::str, py::float_> calibration_of(const Rotation& rotation) {
  py::typing::Dict<py::str, py::float_> times;
  if (rotation.calibration) {
    for (const auto& [mode, microseconds] : rotation.calibration->microseconds) {
      times[name_of(mode)] = microseconds;
    }
  }
  return times;
}

}  // namespace

void register_consensus(py::module_ module) {
  stratoperf::bindings::register_outcome(module);
  py::class_<Rotation, std::shared_ptr<Rotation>>(
      module, "Rotation", "The last outcome for each batch of an operation; read it while at rest.",
      py::module_local())
      .def("__len__", [](const Rotation& rotation) { return rotation.counts.size(); })
      .def("outcome", &decided_of, py::arg("index"),
           "What `Round.decide` returns; None when the batch had no turn.")
      .def_property_readonly(
          "mode", [](const Rotation& rotation) { return name_of(rotation.mode); },
          "The mode that batches are decided in.")
      .def_property_readonly("calibration", &calibration_of,
                             "Microseconds of a round in each mode that was tried.");

  py::class_<Round>(module, "Round", "A quorum round on a device that keeps its memory.",
                    py::module_local())
      .def(py::init(&make_round), py::kw_only(), py::arg("nodes"), py::arg("proposals"),
           py::arg("values"), py::arg("round"), py::arg("quorum"), py::arg("capacity"),
           py::arg("mode"), py::arg("life_ns") = kLifeNanoseconds)
      .def("decide", &decide, py::arg("voter"), py::arg("proposal"), py::arg("value"),
           py::arg("round"))
      .def("operation", &make_round_operation, py::arg("batches"), py::arg("resident") = false,
           "The capsule that rotates through (voter, proposal, value, round) tuples, and its "
           "Rotation. Resident: votes and answers stay in device memory.")
      .def("fill_operation", &fill_operation, py::arg("batches"),
           "The capsule that copies one batch after another to where the device reads it.");
}

}  // namespace stratoperf::cuda::bindings
