// The root of a container, made of descriptors of mounts: no path is looked up twice.
#pragma once

#include "stratoswarm/containers/fault.hpp"

namespace stratoperf::containers {

// In a fresh mount namespace: makes all mounts private, and mounts a root over "/": a tmpfs with
// /dev and /proc, or the folder `path`. Returns a descriptor of it, or -1 with the fault.
int build_root(const char* path, Fault& fault);

// Mounts the fresh procfs of this process's pid namespace on /proc of the root.
bool mount_proc(int root, Fault& fault);

// Keeps the procfs of the outside on /proc of the root, without which no fresh one may be mounted.
bool keep_proc(int root, Fault& fault);

// The same on top of a root that was kept with `keep_proc`, which this process has entered.
bool cover_proc(Fault& fault);

// Makes the root the process's own and lets go of the former one.
// It is read-only then; nothing in a minimal one can be executed.
bool enter_root(int root, bool is_minimal, Fault& fault);

}  // namespace stratoperf::containers
