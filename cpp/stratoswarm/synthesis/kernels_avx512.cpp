// The loops for AVX-512 (F, BW, DQ, VL). Compiled with its flags; called only where the CPU has it.
#include <immintrin.h>

#include <cstdint>

#include "stratoswarm/synthesis/kernels_sets.hpp"

namespace stratoperf::synthesis {
namespace {

__m512i broadcast(std::uint32_t word) { return _mm512_set1_epi32(static_cast<int>(word)); }

// a | (b ^ c).
constexpr int kOrDiffer = 0xf6;

template <std::uint32_t kFields>
class Block {
 public:
  explicit Block(const Tile& tile) {
    for (int i = 0; i < 4; ++i) {
      kind_[i] = _mm512_loadu_si512(tile.kind + 16 * i);
      value_[i] = _mm512_loadu_si512(tile.value + 16 * i);
      count_[i] = _mm512_loadu_si512(tile.count + 16 * i);
    }
  }

  std::uint64_t fits(const Fields& pattern) const {
    const __m512i kind = broadcast(pattern.kind);
    const __m512i value = broadcast(pattern.value);
    const __m512i count = broadcast(pattern.count);
    const auto lanes = [&](int i) {
      if constexpr (kFields == kKindField) {
        return _mm512_cmpeq_epi32_mask(kind_[i], kind);
      }
      // A masked comparison for each field would take the ports that write masks three times; this
      // takes them once, and any vector port for the rest: 1.6 times faster.
      __m512i differ = _mm512_setzero_si512();
      if constexpr ((kFields & kKindField) != 0) {
        differ = _mm512_xor_si512(kind_[i], kind);
      }
      if constexpr ((kFields & kValueField) != 0) {
        differ = _mm512_ternarylogic_epi32(differ, value_[i], value, kOrDiffer);
      }
      if constexpr ((kFields & kCountField) != 0) {
        differ = _mm512_ternarylogic_epi32(differ, count_[i], count, kOrDiffer);
      }
      return _mm512_testn_epi32_mask(differ, differ);
    };
    const __mmask32 low = _mm512_kunpackw(lanes(1), lanes(0));
    const __mmask32 high = _mm512_kunpackw(lanes(3), lanes(2));
    return _cvtmask64_u64(_mm512_kunpackd(high, low));
  }

 private:
  __m512i kind_[4];
  __m512i value_[4];
  __m512i count_[4];
};

// Numbers in a word that are written without a branch: how many there are is a toss.
constexpr int kUnbranched = 4;

// The numbers of the bits that are set in one word, not 0.
std::uint32_t* compact_word(std::uint64_t word, std::uint32_t base, std::uint32_t* out) {
  const int size = __builtin_popcountll(word);
  if (size <= kUnbranched) {
    std::uint64_t rest = word;
    for (int i = 0; i < kUnbranched; ++i, rest &= rest - 1) {
      out[i] = base + static_cast<std::uint32_t>(_tzcnt_u64(rest));
    }
    return out + size;
  }
  const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  for (std::uint32_t first = 0; first < 64; first += 16) {
    const auto mask = static_cast<__mmask16>(word >> first);
    // To a register and then to memory: compressing into memory is microcode on some cores.
    const __m512i rows = _mm512_add_epi32(lanes, broadcast(base + first));
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(mask, rows));
    out += __builtin_popcount(mask);
  }
  return out;
}

std::uint32_t* compact(const std::uint64_t* bits, std::uint32_t words, std::uint32_t base,
                       std::uint32_t* out) {
  for (std::uint32_t word = 0; word < words; word += 8) {
    const std::uint32_t left = words - word;
    const auto inside = static_cast<__mmask8>(left < 8 ? (1u << left) - 1 : 0xffu);
    const __m512i eight = _mm512_maskz_loadu_epi64(inside, bits + word);
    for (unsigned rest = _mm512_test_epi64_mask(eight, eight); rest != 0; rest &= rest - 1) {
      const std::uint32_t at = word + _tzcnt_u32(rest);
      out = compact_word(bits[at], base + 64 * at, out);
    }
  }
  return out;
}

}  // namespace
}  // namespace stratoperf::synthesis

#include "stratoswarm/synthesis/kernels_scan.inc"

namespace stratoperf::synthesis {
const Kernels& avx512_kernels() { return kKernels; }
}  // namespace stratoperf::synthesis
