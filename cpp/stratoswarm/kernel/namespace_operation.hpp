// Namespaces as operations for the sampler.
#pragma once

#include <memory>
#include <string>

#include "core/operation.hpp"

namespace stratoperf::kernel {

enum class NamespaceAction {
  create,  // a child that shares the memory in a new namespace, until it has ended
  enter,   // setns into a namespace that is there
  leave,   // setns back
};

// `type` is one of mnt, pid, net, ipc, uts, user and cgroup, as in /proc/self/ns.
//
// Entering and leaving are done by a process of its own, which waits for a batch on a processor of
// its own: the handing over takes a fraction of a microsecond for each batch. A process enters a
// user namespace once and never comes back, so there entering has a new child each time, as
// creating has, and there is no leaving. Verified is by /proc that the namespace is another one, or
// the old one. Throws std::invalid_argument for an unknown type, and CommandError where the system
// refuses.
std::unique_ptr<Operation> namespace_operation(const std::string& type, NamespaceAction action);

}  // namespace stratoperf::kernel
