// The loops for AVX2. Compiled with its flags; called only where the CPU has it.
#include <immintrin.h>

#include <cstdint>

#include "stratoswarm/synthesis/kernels_compact.inc"
#include "stratoswarm/synthesis/kernels_sets.hpp"

namespace stratoperf::synthesis {
namespace {

__m256i broadcast(std::uint32_t word) { return _mm256_set1_epi32(static_cast<int>(word)); }

__m256i load(const std::uint32_t* words) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words));
}

template <std::uint32_t kFields>
class Block {
 public:
  explicit Block(const Tile& tile) : tile_(tile) {}

  std::uint64_t fits(const Fields& pattern) const {
    const __m256i kind = broadcast(pattern.kind);
    const __m256i value = broadcast(pattern.value);
    const __m256i count = broadcast(pattern.count);
    const auto lanes = [&](int i) {
      __m256i fit = _mm256_set1_epi32(-1);
      if constexpr ((kFields & kKindField) != 0) {
        fit = _mm256_cmpeq_epi32(kind, load(tile_.kind + i));
      }
      if constexpr ((kFields & kValueField) != 0) {
        fit = _mm256_and_si256(fit, _mm256_cmpeq_epi32(value, load(tile_.value + i)));
      }
      if constexpr ((kFields & kCountField) != 0) {
        fit = _mm256_and_si256(fit, _mm256_cmpeq_epi32(count, load(tile_.count + i)));
      }
      return fit;
    };
    const auto half = [&](int i) {
      const __m256i low = _mm256_packs_epi32(lanes(i), lanes(i + 8));
      const __m256i high = _mm256_packs_epi32(lanes(i + 16), lanes(i + 24));
      // Packing interleaves the 128-bit halves; the permutation puts groups of 4 back in order.
      const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high),
                                                        _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
      return std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes))};
    };
    return half(0) | half(32) << 32;
  }

 private:
  Tile tile_;
};

}  // namespace
}  // namespace stratoperf::synthesis

#include "stratoswarm/synthesis/kernels_scan.inc"

namespace stratoperf::synthesis {
const Kernels& avx2_kernels() { return kKernels; }
}  // namespace stratoperf::synthesis
