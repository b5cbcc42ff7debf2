// A process that enters namespaces in batches, for whoever waits for it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "core/fork.hpp"
#include "stratoswarm/memory/handles.hpp"

namespace stratoperf::kernel {

class Traveller {
 public:
  // Starts the process. Throws CommandError when that is not possible.
  Traveller();
  Traveller(const Traveller&) = delete;
  Traveller& operator=(const Traveller&) = delete;
  ~Traveller();

  // Has the process look out for `go` without sleeping, for some tens of microseconds.
  void wake();
  // setns(target, type), `n` times. Throws CommandError.
  void go(int target, int type, std::uint64_t n);
  // The inode of a file of the process, such as /proc/self/ns/uts; 0 when there is none.
  std::uint64_t inode_of(const char* path);

 private:
  struct Shared {
    std::atomic<std::uint32_t> request;  // a new number asks for something
    std::atomic<std::uint32_t> reply;    // the same number when it is done
    std::atomic<std::uint32_t> quit;
    int kind;  // see kWake and its fellows
    int target;
    int type;
    std::uint64_t count;
    int number;  // errno
    std::uint64_t inode;
    char path[64];
  };

  static void serve(Shared& shared, pid_t parent);
  void ask(int kind);

  OwnProcess process_ = {};
  memory::Mapping page_;
  Shared* shared_ = nullptr;
  pid_t child_ = -1;
};

}  // namespace stratoperf::kernel
