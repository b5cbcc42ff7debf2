#include "stratoswarm/memory/fault_count.hpp"

#include <sys/resource.h>

namespace stratoperf::memory {

FaultCount faults_of_this_thread() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return {static_cast<std::uint64_t>(usage.ru_minflt), static_cast<std::uint64_t>(usage.ru_majflt)};
}

}  // namespace stratoperf::memory
