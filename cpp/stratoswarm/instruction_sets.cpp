#include "stratoswarm/instruction_sets.hpp"

#include <stdexcept>
#include <string>

namespace stratoperf::dispatch {

#if defined(__x86_64__)

bool cpu_has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"); }

bool cpu_has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("bmi2");
}

#else

bool cpu_has_avx2() { return false; }
bool cpu_has_avx512() { return false; }

#endif

void throw_unknown_set(std::string_view name, std::span<const std::string_view> usable) {
  std::string known;
  for (const std::string_view one : usable) {
    known += (known.empty() ? "" : ", ") + std::string(one);
  }
  throw std::invalid_argument("instruction_set: this CPU does not have '" + std::string(name) +
                              "'; choose one of: " + known);
}

}  // namespace stratoperf::dispatch
