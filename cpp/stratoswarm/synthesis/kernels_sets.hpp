// The loops of each file; instruction_sets() says which of them this CPU can run.
#pragma once

#include "stratoswarm/synthesis/kernels.hpp"

namespace stratoperf::synthesis {

const Kernels& portable_kernels();
const Kernels& avx2_kernels();    // x86-64 only
const Kernels& avx512_kernels();  // x86-64 only

}  // namespace stratoperf::synthesis
