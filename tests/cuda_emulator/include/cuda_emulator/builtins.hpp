// The builtins of CUDA C++ that the emulator supports; README.md lists them. Anything else does not
// compile.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <type_traits>

#include "cuda_emulator/block.hpp"
#include "cuda_emulator/refused.hpp"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)
#define __grid_constant__

#define threadIdx (::cuda_emulator::thread_index())
#define blockIdx (::cuda_emulator::block_index())

namespace cuda_emulator {

// One dimension of a block or grid. No macro, since the configuration of a launch has members of
// the same names.
template <const dim3& (*kSize)(), unsigned dim3::* kDimension>
struct Dimension {
  operator unsigned() const { return kSize().*kDimension; }
};
template <const dim3& (*kSize)()>
struct Dimensions {
  Dimension<kSize, &dim3::x> x = {};
  Dimension<kSize, &dim3::y> y = {};
  Dimension<kSize, &dim3::z> z = {};
};

using Where = std::source_location;

// A value as the word that travels between lanes.
template <typename T>
std::uint64_t to_word(T value) {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) <= sizeof(std::uint64_t),
                "the emulator passes only numbers between lanes");
  std::uint64_t word = 0;
  std::memcpy(&word, &value, sizeof value);
  return word;
}
template <typename T>
T from_word(std::uint64_t word) {
  T value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

}  // namespace cuda_emulator

inline constexpr cuda_emulator::Dimensions<cuda_emulator::block_dimensions> blockDim;
inline constexpr cuda_emulator::Dimensions<cuda_emulator::grid_dimensions> gridDim;
inline constexpr int warpSize = 32;

inline void __syncthreads(cuda_emulator::Where where = cuda_emulator::Where::current()) {
  cuda_emulator::barrier(cuda_emulator::Vote::none, false, where);
}
inline int __syncthreads_count(int predicate,
                               cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::barrier(cuda_emulator::Vote::count, predicate != 0, where);
}
inline int __syncthreads_or(int predicate,
                            cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::barrier(cuda_emulator::Vote::any, predicate != 0, where);
}
inline int __syncthreads_and(int predicate,
                             cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::barrier(cuda_emulator::Vote::all, predicate != 0, where);
}

inline void __syncwarp(unsigned mask = 0xffffffffu,
                       cuda_emulator::Where where = cuda_emulator::Where::current()) {
  cuda_emulator::collective(cuda_emulator::Collective::sync, mask, 0, 0, 32, where);
}
inline unsigned __ballot_sync(unsigned mask, int predicate,
                              cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return static_cast<unsigned>(cuda_emulator::collective(cuda_emulator::Collective::ballot, mask,
                                                         predicate != 0, 0, 32, where));
}
inline int __any_sync(unsigned mask, int predicate,
                      cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return __ballot_sync(mask, predicate, where) != 0;
}
inline int __all_sync(unsigned mask, int predicate,
                      cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return __ballot_sync(mask, predicate, where) == mask;
}
template <typename T>
unsigned __match_any_sync(unsigned mask, T value,
                          cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return static_cast<unsigned>(cuda_emulator::collective(
      cuda_emulator::Collective::match_any, mask, cuda_emulator::to_word(value), 0, 32, where));
}
template <typename T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32,
              cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::from_word<T>(cuda_emulator::collective(
      cuda_emulator::Collective::shuffle, mask, cuda_emulator::to_word(value),
      static_cast<unsigned>(lane), static_cast<unsigned>(width), where));
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32,
                 cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::from_word<T>(cuda_emulator::collective(
      cuda_emulator::Collective::shuffle_up, mask, cuda_emulator::to_word(value), distance,
      static_cast<unsigned>(width), where));
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32,
                   cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::from_word<T>(cuda_emulator::collective(
      cuda_emulator::Collective::shuffle_down, mask, cuda_emulator::to_word(value), distance,
      static_cast<unsigned>(width), where));
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32,
                  cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::from_word<T>(cuda_emulator::collective(
      cuda_emulator::Collective::shuffle_xor, mask, cuda_emulator::to_word(value),
      static_cast<unsigned>(lanes), static_cast<unsigned>(width), where));
}

// As CUDA has them: 32 bits, from sm_80 on; the bits of signed numbers are not combined.
namespace cuda_emulator {

template <typename T>
T reduce(Collective kind, unsigned mask, T value, const Where& where) {
  static_assert(std::is_same_v<T, int> || std::is_same_v<T, unsigned>,
                "CUDA reduces 32 bits only: see tests/cuda_emulator/README.md");
  // Signed numbers in the order of unsigned ones; a sum is the same for both.
  const bool ordered = kind == Collective::reduce_min || kind == Collective::reduce_max;
  const unsigned sign = ordered && std::is_signed_v<T> ? 0x80000000u : 0u;
  const unsigned word = static_cast<unsigned>(value) ^ sign;
  return static_cast<T>(static_cast<unsigned>(collective(kind, mask, word, 0, 32, where)) ^ sign);
}

}  // namespace cuda_emulator

template <typename T>
T __reduce_add_sync(unsigned mask, T value,
                    cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::reduce(cuda_emulator::Collective::reduce_add, mask, value, where);
}
template <typename T>
T __reduce_min_sync(unsigned mask, T value,
                    cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::reduce(cuda_emulator::Collective::reduce_min, mask, value, where);
}
template <typename T>
T __reduce_max_sync(unsigned mask, T value,
                    cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::reduce(cuda_emulator::Collective::reduce_max, mask, value, where);
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned value,
                                  cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::reduce(cuda_emulator::Collective::reduce_and, mask, value, where);
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value,
                                 cuda_emulator::Where where = cuda_emulator::Where::current()) {
  return cuda_emulator::reduce(cuda_emulator::Collective::reduce_or, mask, value, where);
}

inline int __popc(unsigned bits) { return std::popcount(bits); }
inline int __popcll(unsigned long long bits) { return std::popcount(bits); }
inline int __ffs(int bits) { return __builtin_ffs(bits); }
inline int __ffsll(long long bits) { return __builtin_ffsll(bits); }
inline int __clz(int bits) { return std::countl_zero(static_cast<unsigned>(bits)); }
inline int __clzll(long long bits) {
  return std::countl_zero(static_cast<unsigned long long>(bits));
}

// Relaxed, as on the device. Other streams, and the host, are threads of their own. The types are
// those that CUDA has: std::uint64_t is none of them on Linux.
namespace cuda_emulator {

template <typename T>
void require_atomic() {
  static_assert(std::is_same_v<T, int> || std::is_same_v<T, unsigned> ||
                    std::is_same_v<T, unsigned long long>,
                "CUDA has no such atomic function: see tests/cuda_emulator/README.md");
}

}  // namespace cuda_emulator

template <typename T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  cuda_emulator::require_atomic<T>();
  return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicSub(T* address, std::type_identity_t<T> value) {
  cuda_emulator::require_atomic<T>();
  static_assert(sizeof(T) == 4, "CUDA subtracts 32 bits only");
  return __atomic_fetch_sub(address, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicOr(T* address, std::type_identity_t<T> value) {
  cuda_emulator::require_atomic<T>();
  return __atomic_fetch_or(address, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicAnd(T* address, std::type_identity_t<T> value) {
  cuda_emulator::require_atomic<T>();
  return __atomic_fetch_and(address, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  cuda_emulator::require_atomic<T>();
  return __atomic_exchange_n(address, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  cuda_emulator::require_atomic<T>();
  __atomic_compare_exchange_n(address, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}
template <typename T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  cuda_emulator::require_atomic<T>();
  T seen = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (seen < value && !__atomic_compare_exchange_n(address, &seen, value, true, __ATOMIC_RELAXED,
                                                      __ATOMIC_RELAXED)) {
  }
  return seen;
}
template <typename T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  cuda_emulator::require_atomic<T>();
  T seen = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (value < seen && !__atomic_compare_exchange_n(address, &seen, value, true, __ATOMIC_RELAXED,
                                                      __ATOMIC_RELAXED)) {
  }
  return seen;
}

// The blocks of a grid share one thread of the host, so only the compiler could reorder. Between a
// kernel and the host, or another stream, fences alone order nothing here: use the release stores
// and acquire loads of device/kernel.cuh, which ThreadSanitizer understands.
inline void __threadfence_block() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_system() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }
inline void __nanosleep(unsigned /*nanoseconds*/) { cuda_emulator::relax(); }
inline long long clock64() { return static_cast<long long>(cuda_emulator::nanoseconds()); }

template <typename T>
T __ldg(const T* address) {
  return *address;
}
template <typename T>
T __ldcs(const T* address) {
  return *address;
}
template <typename T>
T __ldcg(const T* address) {
  return *address;
}
template <typename T>
void __stcs(T* address, T value) {
  *address = value;
}
