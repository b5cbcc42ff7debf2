// The loops for AVX-512 (F, BW, DQ, VL). Compiled with its flags; called only where the CPU has it.
#include <immintrin.h>

#include <cstdint>

#include "workloads/consensus/kernels_sets.hpp"

namespace stratoperf::consensus {
namespace {

std::uint64_t zero_lanes(__m512i cells, std::uint16_t mask) {
  return _mm512_testn_epi16_mask(cells, _mm512_set1_epi16(static_cast<short>(mask)));
}
std::uint64_t zero_lanes(__m512i cells, std::uint32_t mask) {
  return _mm512_testn_epi32_mask(cells, _mm512_set1_epi32(static_cast<int>(mask)));
}
std::uint64_t zero_lanes(__m512i cells, std::uint64_t mask) {
  return _mm512_testn_epi64_mask(cells, _mm512_set1_epi64(static_cast<long long>(mask)));
}

template <typename Word>
std::uint64_t zero_mask(const Word* cells, Word mask) {
  constexpr int kLanes = 64 / sizeof(Word);
  std::uint64_t result = 0;
  for (int i = 0; i < 64; i += kLanes) {
    result |= zero_lanes(_mm512_loadu_si512(cells + i), mask) << i;
  }
  return result;
}

}  // namespace
}  // namespace stratoperf::consensus

#include "workloads/consensus/kernels_loops.hpp"

namespace stratoperf::consensus {
const Kernels& avx512_kernels() { return kKernels; }
}  // namespace stratoperf::consensus
