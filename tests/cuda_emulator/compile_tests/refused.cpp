// What kernels must not use: with one of the macros defined, this must not compile.
#include <cuda_runtime.h>

#include <cstdint>

#if defined(COOPERATIVE_GROUPS)
#include <cooperative_groups.h>
#endif
#if defined(CONSTANT_MEMORY)
__constant__ int constants[4];
#endif
#if defined(MANAGED_MEMORY)
__managed__ int managed;
#endif
#if defined(TEXTURES)
__global__ void reads_texture(cudaTextureObject_t texture);
#endif

__global__ void kernel(unsigned* words, std::uint64_t* wide) {
  unsigned value = words[threadIdx.x];
#if defined(SHARED_VARIABLES)
  __shared__ unsigned shared[32];
  shared[threadIdx.x] = value;
#endif
#if defined(DYNAMIC_SHARED_VARIABLES)
  extern __shared__ unsigned shared[];
  shared[threadIdx.x] = value;
#endif
#if defined(ACTIVE_MASK)
  value += __activemask();
#endif
#if defined(SHUFFLE_WITHOUT_MASK)
  value += __shfl_down(value, 1);
#endif
#if defined(BALLOT_WITHOUT_MASK)
  value += __ballot(value > 1);
#endif
#if defined(ATOMIC_OF_ANOTHER_TYPE)
  atomicAdd(wide, 1);
#endif
#if defined(REDUCTION_OF_ANOTHER_TYPE)
  value += __reduce_add_sync(0xffffffffu, *wide) > 1;
#endif
#if defined(UNKNOWN_BUILTIN)
  value += __dp4a(value, value, value);
#endif
  words[threadIdx.x] = value + static_cast<unsigned>(*wide);
}
