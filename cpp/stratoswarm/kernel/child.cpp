#include "stratoswarm/kernel/child.hpp"

#include <sched.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

namespace stratoperf::kernel {

pid_t Children::start(Body body, void* argument, int flags) const {
  // A signal handler of this process must not run in the child, which has the same memory.
  sigset_t all = {};
  sigset_t before = {};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = clone(body, stack_.data() + stack_.size(),  // NOLINT: variadic
                            CLONE_VM | CLONE_VFORK | SIGCHLD | flags, argument);
  const int number = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = number;
  return child;
}

int status_of(pid_t child) {
  int status = 0;
  pid_t ended = 0;
  do {
    ended = waitpid(child, &status, 0);
  } while (ended < 0 && errno == EINTR);
  return ended == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace stratoperf::kernel
