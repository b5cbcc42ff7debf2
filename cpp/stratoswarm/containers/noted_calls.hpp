// System calls that leave their number behind: it says in which call a process was killed that
// enters a sandbox, for instance by a filter around it.
#pragma once

#include "stratoswarm/containers/system_calls.hpp"

namespace stratoperf::containers {

// Of the last call. The processes that enter a sandbox share it with the helper, which waits.
inline volatile long last_call = -1;

template <typename... Arguments>
long noted(long number, Arguments... arguments) {
  last_call = number;
  return call(number, arguments...);
}

inline const char* name_of_last_call() {
  struct Name {
    long number;
    const char* name;
  };
  // By number: headers of older systems have no names for the later ones.
  constexpr Name kNames[] = {
      {SYS_prctl, "prctl"},
      {SYS_ppoll, "ppoll"},
      {SYS_openat, "openat"},
      {SYS_write, "write"},
      {SYS_close, "close"},
      {SYS_setresgid, "setresgid"},
      {SYS_setresuid, "setresuid"},
      {SYS_prlimit64, "prlimit64"},
      {SYS_capset, "capset"},
      {SYS_dup3, "dup3"},
      {SYS_rt_sigprocmask, "rt_sigprocmask"},
      {SYS_seccomp, "seccomp"},
      {SYS_unshare, "unshare"},
      {SYS_sethostname, "sethostname"},
      {SYS_setsid, "setsid"},
      {SYS_umask, "umask"},
      {SYS_sched_setaffinity, "sched_setaffinity"},
      {SYS_execveat, "execveat"},
      {SYS_setns, "setns"},
      {SYS_mkdirat, "mkdirat"},
      {SYS_mount, "mount"},
      {SYS_fchdir, "fchdir"},
      {SYS_chdir, "chdir"},
      {SYS_pivot_root, "pivot_root"},
      {SYS_umount2, "umount2"},
      {428, "open_tree"},
      {429, "move_mount"},
      {430, "fsopen"},
      {431, "fsconfig"},
      {432, "fsmount"},
      {435, "clone3"},
      {436, "close_range"},
      {437, "openat2"},
      {442, "mount_setattr"},
  };
  for (const Name& known : kNames) {
    if (known.number == last_call) {
      return known.name;
    }
  }
  return "a system call";
}

}  // namespace stratoperf::containers
