// The loops for the baseline instruction set, left to the compiler's vectorizer: SSE2 on x86-64,
// NEON on AArch64.
#include <cstdint>

#include "stratoswarm/consensus/kernels_sets.hpp"

namespace stratoperf::consensus {
namespace {

// SSE2 has no shift by lanes.
constexpr bool kLanesShift = false;

template <typename Word>
std::uint64_t zero_mask(const Word* cells, Word mask) {
  std::uint8_t zero[64];
  for (int i = 0; i < 64; ++i) {
    zero[i] = (cells[i] & mask) == 0 ? 1 : 0;
  }
  std::uint64_t result = 0;
  for (int byte = 0; byte < 8; ++byte) {
    std::uint64_t eight;
    __builtin_memcpy(&eight, zero + 8 * byte, 8);
    // The factor moves the lowest bit of byte k to bit 56 + k, without carries in between.
    result |= ((eight * 0x0102040810204080u) >> 56) << (8 * byte);
  }
  return result;
}

// As in kernels_equivocators.inc.
inline std::uint64_t name_few(Equivocator* end, std::uint32_t proposal, std::uint32_t begin,
                              std::uint64_t several) {
  for (std::uint32_t i = 0; i < kUnbranched; ++i) {
    const std::uint64_t bits = several | std::uint64_t{1} << 63;  // ctz of 0 is undefined
    *end++ = {proposal, begin + static_cast<std::uint32_t>(__builtin_ctzll(bits))};
    several &= several - 1;
  }
  return several;
}

}  // namespace
}  // namespace stratoperf::consensus

#include "stratoswarm/consensus/kernels_block.inc"
#include "stratoswarm/consensus/kernels_classify.inc"
#include "stratoswarm/consensus/kernels_loops.inc"

namespace stratoperf::consensus {
const Kernels& portable_kernels() { return kKernels; }
}  // namespace stratoperf::consensus
