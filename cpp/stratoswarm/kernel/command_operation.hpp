// Commands of the kernel modules as operations for the sampler.
#pragma once

#include <memory>

#include "core/operation.hpp"
#include "stratoswarm/kernel/device.hpp"

namespace stratoperf::kernel {

// One iteration gives one command. What it needs (agents, allocations) is made before a batch, and
// undone after it, outside the timed region; with the last batch nothing of it is left. Verified
// are all replies, and that each effect could be undone. `descriptor` is duplicated. Throws
// CommandError when the module refuses the preparation.
std::unique_ptr<Operation> command_operation(int descriptor, Command command, FreeForm form);

// One iteration asks a pipe how many bytes it holds (FIONREAD): the cost of the path into the
// kernel and back that every command has. Verified are all replies.
std::unique_ptr<Operation> pipe_operation();

}  // namespace stratoperf::kernel
