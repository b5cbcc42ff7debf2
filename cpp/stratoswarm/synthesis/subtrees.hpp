// Numbers for whole trees: equal ones for equal trees.
#pragma once

#include <cstdint>
#include <vector>

#include "stratoswarm/synthesis/rules.hpp"

namespace stratoperf::synthesis {

// For each node a number that two nodes share if and only if type, value, layout and all children
// are equal; by interning, so without collisions. Throws std::bad_alloc.
std::vector<std::uint32_t> number_subtrees(const Nodes& nodes);

}  // namespace stratoperf::synthesis
