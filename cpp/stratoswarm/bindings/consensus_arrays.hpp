// Votes and outcomes as NumPy arrays: for the rounds of every backend.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"
#include "stratoswarm/consensus/outcome.hpp"
#include "stratoswarm/consensus/rules.hpp"

namespace stratoperf::bindings {

// The columns of a batch, as views. Throws std::invalid_argument, naming the array.
inline consensus::Votes votes_of(const py::array& voter, const py::array& proposal,
                                 const py::array& value, const py::array& round) {
  const auto voters = view<std::uint32_t>(voter, "voter");
  const auto proposals = view<std::uint32_t>(proposal, "proposal");
  const auto values = view<std::uint32_t>(value, "value");
  const auto rounds = view<std::uint32_t>(round, "round");
  if (proposals.size() != voters.size() || values.size() != voters.size() ||
      rounds.size() != voters.size()) {
    throw std::invalid_argument("voter, proposal, value and round must have the same length");
  }
  return {voters.data(), proposals.data(), values.data(), rounds.data(), voters.size()};
}

// The same for a list of (voter, proposal, value, round) tuples.
inline std::vector<consensus::Votes> batches_of(const py::list& batches) {
  std::vector<consensus::Votes> votes;
  for (const py::handle item : batches) {
    votes.push_back(
        std::apply(votes_of, item.cast<std::tuple<py::array, py::array, py::array, py::array>>()));
  }
  return votes;
}

// (decided, tallies, equivocators, accepted, rejected) as new arrays: tallies [proposals][values]
// and equivocators [n][2] are flat, rejected follows the order of precedence.
inline py::tuple to_tuple(const consensus::Outcome& outcome) {
  std::vector<std::uint32_t> pairs;
  pairs.reserve(2 * outcome.equivocators.all().size());
  for (const consensus::Equivocator& equivocator : outcome.equivocators.all()) {
    pairs.push_back(equivocator.proposal);
    pairs.push_back(equivocator.voter);
  }
  return py::make_tuple(to_array(outcome.decided), to_array(outcome.tallies),
                        to_array(std::move(pairs)), outcome.accepted, outcome.rejected);
}

}  // namespace stratoperf::bindings
