// One getter for each instruction set; which of them exist depends on the architecture.
#pragma once

#include "stratoswarm/consensus/kernels.hpp"

namespace stratoperf::consensus {

const Kernels& portable_kernels();
const Kernels& avx2_kernels();    // x86-64 only
const Kernels& avx512_kernels();  // x86-64 only

}  // namespace stratoperf::consensus
