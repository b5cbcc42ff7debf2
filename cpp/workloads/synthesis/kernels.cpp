#include "workloads/synthesis/kernels.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include "workloads/synthesis/kernels_sets.hpp"

namespace stratoperf::synthesis {
namespace {

std::vector<InstructionSet> find_instruction_sets() {
  std::vector<InstructionSet> found;
#if defined(__x86_64__)
  // These also check that the operating system saves the wide registers.
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("bmi2")) {
    found.push_back({"avx512", &avx512_kernels()});
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
    found.push_back({"avx2", &avx2_kernels()});
  }
#endif
  found.push_back({"portable", &portable_kernels()});
  return found;
}

}  // namespace

std::span<const InstructionSet> instruction_sets() {
  static const std::vector<InstructionSet> found = find_instruction_sets();
  return found;
}

const InstructionSet& instruction_set(std::string_view name) {
  std::string known;
  for (const InstructionSet& set : instruction_sets()) {
    if (name.empty() || set.name == name) {
      return set;
    }
    known += (known.empty() ? "" : ", ") + std::string(set.name);
  }
  throw std::invalid_argument("instruction_set: '" + std::string(name) +
                              "' is not one that this CPU has; choose one of: " + known);
}

}  // namespace stratoperf::synthesis
