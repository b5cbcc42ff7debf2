// The kernel's own count of page faults.
#pragma once

#include <cstdint>

namespace stratoperf::memory {

struct FaultCount {
  std::uint64_t minor = 0;  // served without the disk
  std::uint64_t major = 0;
};

// Since the thread began, those of system calls on its behalf among them.
FaultCount faults_of_this_thread();

}  // namespace stratoperf::memory
