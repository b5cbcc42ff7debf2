// How a process enters a sandbox, from the clone to the exec of its init.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstdint>

#include "stratoswarm/containers/fault.hpp"
#include "stratoswarm/containers/groups.hpp"
#include "stratoswarm/containers/protocol.hpp"

namespace stratoperf::containers {

// Facts about the helper that every container needs.
struct Helper {
  uid_t uid = 0;  // that the container's user 0 is outside
  gid_t gid = 0;
  bool is_root = false;
  int last_capability = 40;
  std::uint64_t container_files = 256;  // maximum number of open files
  int program = -1;                     // init, in a sealed file without a name
  int client = -1;                      // the socket of the client
  int life[2] = {-1, -1};  // a pipe that nobody writes to; its writing end is the helper's alone
};

// Namespaces that a container joins instead of getting new ones.
struct Joined {
  int user = -1;
  int network = -1;
  int mount = -1;

  bool any() const { return user >= 0 || network >= 0 || mount >= 0; }
};

// What to do, and what came of it: the child writes into the helper's memory.
struct Entry {
  const Helper* helper = nullptr;
  std::uint32_t namespaces = 0;  // to be new; of kJoined ones those that are joined are left out
  std::uint32_t flags = 0;
  std::uint32_t stop_stage = 0;
  const char* name = nullptr;
  const char* root = nullptr;  // a path, or null for the minimal root
  char* const* words = nullptr;
  int control = -1;
  int image = -1;
  int files[3] = {-1, -1, -1};
  const Group* group = nullptr;
  bool group_version2 = false;
  Joined joined;
  const cpu_set_t* processors = nullptr;  // to give the container before its exec, or null

  std::uint64_t last_ns = 0;
  Stage last_stage = kStageCgroup;
  std::uint64_t stages_ns[kStages] = {};
  Fault fault;
  volatile pid_t pid = -1;
  volatile bool reached_exec = false;

  void lap(Stage stage);
};

// Starts a container; false with `fault` in the entry, and no process left, when a step fails.
bool enter(Entry& entry);

// Makes user, network and, with `mount`, mount namespaces with a finished root, in a process that
// ends at once; false with the fault.
bool prepare_namespaces(const Helper& helper, bool mount, Joined& joined, Fault& fault);

}  // namespace stratoperf::containers
