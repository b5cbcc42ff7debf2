// The kernel's own count of page faults, and the pages that are faulted in.
#pragma once

#include <cstdint>

namespace stratoperf::memory {

// 16 MiB of small pages: enough that taking them away, which is not timed, happens rarely.
inline constexpr std::uint64_t kFaultPages = 4096;

// The first word of a page; never zero, which a hole would be.
inline std::uint64_t fault_tag(std::uint64_t page) { return page + 1; }

struct FaultCount {
  std::uint64_t minor = 0;  // served without the disk
  std::uint64_t major = 0;
};

// Since the thread began, those of system calls on its behalf among them.
FaultCount faults_of_this_thread();

}  // namespace stratoperf::memory
