// The loops for AVX2. Compiled with its flags; called only where the CPU has it.
#include <immintrin.h>

#include <cstdint>

#include "stratoswarm/consensus/kernels_sets.hpp"

namespace stratoperf::consensus {
namespace {

constexpr bool kLanesShift = true;

__m256i load_masked(const void* cells, __m256i mask) {
  return _mm256_and_si256(_mm256_loadu_si256(static_cast<const __m256i*>(cells)), mask);
}

// One bit for each word that is zero.
std::uint64_t zero_lanes(const std::uint8_t* cells, std::uint8_t mask) {
  const __m256i words = load_masked(cells, _mm256_set1_epi8(static_cast<char>(mask)));
  const __m256i zero = _mm256_cmpeq_epi8(words, _mm256_setzero_si256());
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(zero));
}
std::uint64_t zero_lanes(const std::uint32_t* cells, std::uint32_t mask) {
  const __m256i words = load_masked(cells, _mm256_set1_epi32(static_cast<int>(mask)));
  const __m256i zero = _mm256_cmpeq_epi32(words, _mm256_setzero_si256());
  return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(zero)));
}
std::uint64_t zero_lanes(const std::uint64_t* cells, std::uint64_t mask) {
  const __m256i words = load_masked(cells, _mm256_set1_epi64x(static_cast<long long>(mask)));
  const __m256i zero = _mm256_cmpeq_epi64(words, _mm256_setzero_si256());
  return static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(zero)));
}

template <typename Word>
std::uint64_t zero_mask(const Word* cells, Word mask) {
  constexpr int kLanes = 32 / sizeof(Word);
  std::uint64_t result = 0;
  for (int i = 0; i < 64; i += kLanes) {
    result |= zero_lanes(cells + i, mask) << i;
  }
  return result;
}

// 16-bit words have no mask instruction of their own: two results are packed to bytes first.
template <>
std::uint64_t zero_mask(const std::uint16_t* cells, std::uint16_t mask_word) {
  const __m256i mask = _mm256_set1_epi16(static_cast<short>(mask_word));
  std::uint64_t result = 0;
  for (int i = 0; i < 64; i += 32) {
    const __m256i low = _mm256_cmpeq_epi16(load_masked(cells + i, mask), _mm256_setzero_si256());
    const __m256i high =
        _mm256_cmpeq_epi16(load_masked(cells + i + 16, mask), _mm256_setzero_si256());
    // Packing interleaves the 128-bit halves; the permutation puts them back in order.
    const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
    result |= std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes))} << i;
  }
  return result;
}

}  // namespace
}  // namespace stratoperf::consensus

#include "stratoswarm/consensus/kernels_block.inc"
#include "stratoswarm/consensus/kernels_classify.inc"
#include "stratoswarm/consensus/kernels_equivocators.inc"
#include "stratoswarm/consensus/kernels_loops.inc"

namespace stratoperf::consensus {
const Kernels& avx2_kernels() { return kKernels; }
}  // namespace stratoperf::consensus
