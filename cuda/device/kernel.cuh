// What kernels are written with, beyond the builtins of CUDA. This is the only file that tells nvcc
// from the emulator of the tests, which documents the subset of CUDA that kernels keep to.
#pragma once

#include <cstdint>

#include <cuda_runtime.h>

#if defined(STRATOPERF_CUDA_EMULATOR)
#include "cuda_emulator/block.hpp"
#endif

namespace stratoperf::cuda {

inline constexpr unsigned kWarp = 32;
inline constexpr unsigned kAllLanes = 0xffffffffu;

// The shared memory that the launch asked for, aligned to 16 bytes; undefined content.
__device__ inline unsigned char* shared_memory() {
#if defined(STRATOPERF_CUDA_EMULATOR)
  return cuda_emulator::shared_memory();
#else
  extern __shared__ __align__(16) unsigned char dynamic_shared_memory[];
  return dynamic_shared_memory;
#endif
}

// Reads what the host, or another block, stored with release order.
__device__ inline std::uint64_t load_acquire_system(const std::uint64_t* address) {
#if defined(STRATOPERF_CUDA_EMULATOR)
  cuda_emulator::relax();  // kernels poll with this
  return __atomic_load_n(address, __ATOMIC_ACQUIRE);
#else
  std::uint64_t value;
  asm volatile("ld.acquire.sys.u64 %0, [%1];" : "=l"(value) : "l"(address) : "memory");
  return value;
#endif
}

// Makes what this thread wrote, and what it saw of others through barriers, visible to whoever
// loads the value with acquire order, the host included.
__device__ inline void store_release_system(std::uint64_t* address, std::uint64_t value) {
#if defined(STRATOPERF_CUDA_EMULATOR)
  __atomic_store_n(address, value, __ATOMIC_RELEASE);
#else
  asm volatile("st.release.sys.u64 [%0], %1;" : : "l"(address), "l"(value) : "memory");
#endif
}

// The device's clock in nanoseconds; it advances in steps of up to about 1 us.
__device__ inline std::uint64_t global_nanoseconds() {
#if defined(STRATOPERF_CUDA_EMULATOR)
  return cuda_emulator::nanoseconds();
#else
  std::uint64_t nanoseconds;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(nanoseconds));
  return nanoseconds;
#endif
}

// CUDA's 64-bit atomics take unsigned long long, which std::uint64_t is not on Linux.
__device__ inline std::uint64_t atomic_add(std::uint64_t* address, std::uint64_t value) {
  static_assert(sizeof(unsigned long long) == sizeof(std::uint64_t));
  return atomicAdd(reinterpret_cast<unsigned long long*>(address),
                   static_cast<unsigned long long>(value));
}

__device__ inline std::uint64_t atomic_compare_and_swap(std::uint64_t* address,
                                                        std::uint64_t expected,
                                                        std::uint64_t value) {
  return atomicCAS(reinterpret_cast<unsigned long long*>(address),
                   static_cast<unsigned long long>(expected),
                   static_cast<unsigned long long>(value));
}

}  // namespace stratoperf::cuda
