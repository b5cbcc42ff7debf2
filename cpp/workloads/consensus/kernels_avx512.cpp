// The loops for AVX-512 (F, BW, DQ, VL). Compiled with its flags; called only where the CPU has it.
#include <immintrin.h>

#include <cstdint>

#include "workloads/consensus/kernels_scratch.hpp"
#include "workloads/consensus/kernels_sets.hpp"

namespace stratoperf::consensus {
namespace {

std::uint64_t count_of(__mmask16 lanes) {
  return static_cast<std::uint64_t>(__builtin_popcount(lanes));
}

// As in kernels_classify.hpp.
std::uint32_t classify_block(const Limits& limits, std::uint32_t scale, const Votes& block,
                             Scratch& scratch, std::uint64_t* passed) {
  const auto broadcast = [](std::uint32_t word) {
    return _mm512_set1_epi32(static_cast<int>(word));
  };
  const __m512i nodes = broadcast(limits.nodes);
  const __m512i round = broadcast(limits.round);
  const __m512i proposals = broadcast(limits.proposals);
  const __m512i values = broadcast(limits.values);
  const __m512i scales = broadcast(scale);
  const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i spare = _mm512_add_epi32(broadcast(limits.nodes * limits.proposals), lane);
  const auto size = static_cast<std::uint32_t>(block.count);
  std::uint64_t authorized_total = 0;
  std::uint64_t current_total = 0;
  std::uint64_t known_total = 0;
  std::uint64_t valid_total = 0;
  for (std::uint32_t i = 0; i < size; i += 16) {
    const std::uint32_t left = size - i;
    const auto lanes = static_cast<__mmask16>(left < 16 ? (1u << left) - 1 : 0xffffu);
    // The next block, so that it arrives while the votes of this one are added.
    __builtin_prefetch(block.voter + i + kBlock);
    __builtin_prefetch(block.proposal + i + kBlock);
    __builtin_prefetch(block.value + i + kBlock);
    __builtin_prefetch(block.round + i + kBlock);
    const __m512i voter = _mm512_maskz_loadu_epi32(lanes, block.voter + i);
    const __m512i proposal = _mm512_maskz_loadu_epi32(lanes, block.proposal + i);
    const __m512i value = _mm512_maskz_loadu_epi32(lanes, block.value + i);
    const __m512i vote_round = _mm512_maskz_loadu_epi32(lanes, block.round + i);
    const __mmask16 authorized = _mm512_mask_cmplt_epu32_mask(lanes, voter, nodes);
    const __mmask16 current = _mm512_mask_cmpeq_epi32_mask(authorized, vote_round, round);
    const __mmask16 known = _mm512_mask_cmplt_epu32_mask(current, proposal, proposals);
    const __mmask16 valid = _mm512_mask_cmplt_epu32_mask(known, value, values);
    const __m512i index = _mm512_add_epi32(_mm512_mullo_epi32(proposal, nodes), voter);
    const __m512i scaled = _mm512_mullo_epi32(value, scales);
    // Not compressed to the valid lanes: what fewer updates save, stores across lines lose.
    const __m512i unused = _mm512_add_epi32(spare, broadcast(i % kSpareCells));
    _mm512_store_si512(scratch.index + i, _mm512_mask_mov_epi32(unused, valid, index));
    _mm512_store_si512(scratch.scaled_value + i, scaled);
    authorized_total += count_of(authorized);
    current_total += count_of(current);
    known_total += count_of(known);
    valid_total += count_of(valid);
  }
  passed[kUnauthorizedVoter] += authorized_total;
  passed[kStaleRound] += current_total;
  passed[kProposalOutOfRange] += known_total;
  passed[kValueOutOfRange] += valid_total;
  return size;
}

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

#include "workloads/consensus/kernels_loops.inc"

namespace stratoperf::consensus {
const Kernels& avx512_kernels() { return kKernels; }
}  // namespace stratoperf::consensus
