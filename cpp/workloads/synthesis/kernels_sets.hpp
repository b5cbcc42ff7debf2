// The loops of each file; instruction_sets() says which of them this CPU can run.
#pragma once

#include "workloads/synthesis/kernels.hpp"

namespace stratoperf::synthesis {

const Kernels& portable_kernels();
#if defined(__x86_64__)
const Kernels& avx2_kernels();
const Kernels& avx512_kernels();
#endif

}  // namespace stratoperf::synthesis
