// Votes and outcomes as NumPy arrays: for the rounds of every backend.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/typing.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"
#include "stratoswarm/consensus/outcome.hpp"
#include "stratoswarm/consensus/rules.hpp"

namespace stratoperf::bindings {

using Column = Array<std::uint32_t>;

// Batches as (voter, proposal, value, round).
using Batches = py::typing::List<py::typing::Tuple<Column, Column, Column, Column>>;

// What a round decided, as new arrays.
struct DecidedArrays {
  explicit DecidedArrays(const consensus::Outcome& outcome)
      : decided(to_array(outcome.decided)),
        tallies(to_array(outcome.tallies)),
        equivocators(to_array(pairs_of(outcome))),
        accepted(outcome.accepted),
        rejected(outcome.rejected) {}

  py::array_t<std::int64_t> decided;
  py::array_t<std::uint32_t> tallies;
  py::array_t<std::uint32_t> equivocators;
  std::uint64_t accepted;
  std::array<std::uint64_t, consensus::kReasons> rejected;

 private:
  static std::vector<std::uint32_t> pairs_of(const consensus::Outcome& outcome) {
    std::vector<std::uint32_t> pairs;
    pairs.reserve(2 * outcome.equivocators.all().size());
    for (const consensus::Equivocator& equivocator : outcome.equivocators.all()) {
      pairs.push_back(equivocator.proposal);
      pairs.push_back(equivocator.voter);
    }
    return pairs;
  }
};

// Each module has a class of its own.
inline void register_outcome(py::module_& module) {
  py::class_<DecidedArrays>(module, "Outcome", "What a round decided.", py::module_local())
      .def_readonly("decided", &DecidedArrays::decided, "The value of each proposal, or -1.")
      .def_readonly("tallies", &DecidedArrays::tallies, "Flat: [proposals][values].")
      .def_readonly("equivocators", &DecidedArrays::equivocators, "Flat: proposal and voter.")
      .def_readonly("accepted", &DecidedArrays::accepted, "Votes that the tallies count.")
      .def_property_readonly(
          "rejected",
          [](const DecidedArrays& arrays) {
            return std::vector(arrays.rejected.begin(), arrays.rejected.end());
          },
          "Votes for each reason, in the order of precedence.");
}

// The columns of a batch, as views. Throws std::invalid_argument, naming the array.
inline consensus::Votes votes_of(const Column& voter, const Column& proposal, const Column& value,
                                 const Column& round) {
  const auto voters = view(voter, "voter");
  const auto proposals = view(proposal, "proposal");
  const auto values = view(value, "value");
  const auto rounds = view(round, "round");
  if (proposals.size() != voters.size() || values.size() != voters.size() ||
      rounds.size() != voters.size()) {
    throw std::invalid_argument("voter, proposal, value and round must have the same length");
  }
  return {voters.data(), proposals.data(), values.data(), rounds.data(), voters.size()};
}

inline std::vector<consensus::Votes> batches_of(const Batches& batches) {
  std::vector<consensus::Votes> votes;
  for (const py::handle item : batches) {
    votes.push_back(std::apply(votes_of, item.cast<std::tuple<Column, Column, Column, Column>>()));
  }
  return votes;
}

}  // namespace stratoperf::bindings
