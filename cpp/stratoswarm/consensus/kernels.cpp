#include "stratoswarm/consensus/kernels.hpp"

#include <vector>

#include "stratoswarm/consensus/kernels_sets.hpp"

namespace stratoperf::consensus {

std::span<const InstructionSet> instruction_sets() {
  static const std::vector<InstructionSet> usable = [] {
    if constexpr (dispatch::kIsX86) {
      return dispatch::usable_sets(&portable_kernels, &avx2_kernels, &avx512_kernels);
    } else {
      return dispatch::usable_sets(&portable_kernels);
    }
  }();
  return usable;
}

const InstructionSet& instruction_set(std::string_view name) {
  return dispatch::find_set(instruction_sets(), name);
}

}  // namespace stratoperf::consensus
