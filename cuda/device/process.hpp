// CUDA belongs to the process that initialized it: a forked child has a copy that cannot work.
#pragma once

namespace stratoperf::cuda {

// Remembers the first process that calls it. Throws Unavailable in any process forked from it.
void require_own_process();

// Whether CUDA may be called here: false in a child of the process that initialized it. Destructors
// ask, since the handles there are the parent's.
bool in_own_process() noexcept;

}  // namespace stratoperf::cuda
