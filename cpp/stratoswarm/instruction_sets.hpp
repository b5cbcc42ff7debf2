// Loops that are compiled once for each instruction set, and the choice among them at run time.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace stratoperf::dispatch {

#if defined(__x86_64__)
inline constexpr bool kIsX86 = true;
#else
inline constexpr bool kIsX86 = false;
#endif

// What the files named kernels_avx2.cpp and kernels_avx512.cpp are compiled for, and that the
// operating system saves the wide registers. False on other architectures.
bool cpu_has_avx2();
bool cpu_has_avx512();

// The loops of a workload for one instruction set.
template <typename Kernels>
struct InstructionSet {
  std::string_view name;
  const Kernels* kernels;
};

// Those that this CPU has, the widest first; the last is the baseline. A getter is called only
// where the CPU has what its file is compiled for; null where there is no such file.
template <typename Kernels>
std::vector<InstructionSet<Kernels>> usable_sets(const Kernels& (*portable)(),
                                                 const Kernels& (*avx2)() = nullptr,
                                                 const Kernels& (*avx512)() = nullptr) {
  std::vector<InstructionSet<Kernels>> usable;
  if (avx512 != nullptr && cpu_has_avx512()) {
    usable.push_back({"avx512", &avx512()});
  }
  if (avx2 != nullptr && cpu_has_avx2()) {
    usable.push_back({"avx2", &avx2()});
  }
  usable.push_back({"portable", &portable()});
  return usable;
}

// Throws std::invalid_argument for a name that is none of the usable ones.
[[noreturn]] void throw_unknown_set(std::string_view name,
                                    std::span<const std::string_view> usable);

// The one with this name; the widest for an empty name. Throws std::invalid_argument.
template <typename Kernels>
const InstructionSet<Kernels>& find_set(std::span<const InstructionSet<Kernels>> usable,
                                        std::string_view name) {
  std::vector<std::string_view> names;
  for (const InstructionSet<Kernels>& set : usable) {
    if (name.empty() || set.name == name) {
      return set;
    }
    names.push_back(set.name);
  }
  throw_unknown_set(name, names);
}

}  // namespace stratoperf::dispatch
