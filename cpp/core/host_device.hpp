// Marks functions that the host compiler and nvcc both compile.
#pragma once

// Always inlined: these functions are compiled in several files with different instruction sets,
// and the linker must never pick a copy that this CPU cannot run.
#if defined(__CUDACC__)
#define STRATOPERF_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define STRATOPERF_HOST_DEVICE [[gnu::always_inline]] inline
#endif
