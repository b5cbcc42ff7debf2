// Children that share the memory of this process, which waits until they end or start a program.
#pragma once

#include <sys/types.h>

#include "stratoswarm/memory/handles.hpp"

namespace stratoperf::kernel {

// Of what runs in such a child: what a sanitizer notes of it would be taken for the parent's.
#define STRATOPERF_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

// What a child does; the return value is the status that it ends with. It runs on a stack of its
// own and must call nothing but the system.
using Body = int (*)(void* argument);

// Starts children on one stack after another; the parent waits, so that one stack is enough.
class Children {
 public:
  // Throws TierError when there is no memory for the stack.
  Children() : stack_(memory::Mapping::reserve(kStackBytes)) {}

  // Starts a child with `flags` besides CLONE_VM and CLONE_VFORK. Returns its pid, or -1 with
  // errno.
  pid_t start(Body body, void* argument, int flags) const;

 private:
  static constexpr std::uint64_t kStackBytes = std::uint64_t{64} << 10;
  memory::Mapping stack_;
};

// Waits for a child's end; its exit status, or -1 when a signal ended it or there is no such child.
int status_of(pid_t child);

}  // namespace stratoperf::kernel
