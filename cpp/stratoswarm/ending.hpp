// How processes that we started are ended.
#pragma once

#include <sys/types.h>

#include <csignal>

namespace stratoperf {

// Ends one process. The kernel takes -1 for all processes of the machine and 0 for those of one's
// own group, and these are what a failed call leaves where a process should be; 1 is nobody's
// child.
inline bool end_process(pid_t pid) { return pid > 1 && kill(pid, SIGKILL) == 0; }

}  // namespace stratoperf
