// The loops for AVX-512 (F, BW, DQ, VL). Compiled with its flags; called only where the CPU has it.
#include <immintrin.h>

#include <cstdint>

#include "workloads/consensus/kernels_scratch.hpp"
#include "workloads/consensus/kernels_sets.hpp"

namespace stratoperf::consensus {
namespace {

// As in kernels_classify.inc. Small groups: while the votes of one are added, one cell update a
// cycle, the core has room to classify another.
constexpr bool kLanesShift = true;
constexpr std::uint32_t kGroup = 16;
constexpr std::uint64_t kDelay = 4;

// How far ahead votes are fetched: the time that so many take hides the latency of an outer cache.
constexpr std::uint64_t kAhead = 256;

__m512i broadcast(std::uint32_t word) { return _mm512_set1_epi32(static_cast<int>(word)); }

template <typename Cell>
class Classifier {
 public:
  Classifier(const Cell& cell, const Limits& limits)
      : nodes_(broadcast(limits.nodes)),
        round_(broadcast(limits.round)),
        proposals_(broadcast(limits.proposals)),
        values_(broadcast(limits.values)),
        scale_(broadcast(cell.scale())),
        spare_(_mm512_add_epi32(
            broadcast(limits.nodes * limits.proposals),
            _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0))) {}

  void fill(const Votes& votes, std::uint64_t begin, Group<kGroup>& group) {
    __builtin_prefetch(votes.voter + begin + kAhead);
    __builtin_prefetch(votes.proposal + begin + kAhead);
    __builtin_prefetch(votes.value + begin + kAhead);
    __builtin_prefetch(votes.round + begin + kAhead);
    const std::uint64_t left = votes.count - begin;
    const auto lanes = static_cast<__mmask16>(left < kGroup ? (1u << left) - 1 : 0xffffu);
    const __m512i voter = _mm512_maskz_loadu_epi32(lanes, votes.voter + begin);
    const __m512i proposal = _mm512_maskz_loadu_epi32(lanes, votes.proposal + begin);
    const __m512i value = _mm512_maskz_loadu_epi32(lanes, votes.value + begin);
    const __m512i round = _mm512_maskz_loadu_epi32(lanes, votes.round + begin);
    const __mmask16 authorized = _mm512_mask_cmplt_epu32_mask(lanes, voter, nodes_);
    const __mmask16 current = _mm512_mask_cmpeq_epi32_mask(authorized, round, round_);
    const __mmask16 known = _mm512_mask_cmplt_epu32_mask(current, proposal, proposals_);
    const __mmask16 valid = _mm512_mask_cmplt_epu32_mask(known, value, values_);
    const __m512i index = _mm512_add_epi32(_mm512_mullo_epi32(proposal, nodes_), voter);
    const __m512i scaled = _mm512_mullo_epi32(value, scale_);
    const __m512i one = _mm512_set1_epi32(1);
    constexpr bool kPrepared = prepares_addends<Cell, kLanesShift>();
    const __m512i payload = kPrepared ? _mm512_maskz_sllv_epi32(valid, one, scaled) : scaled;
    // Not compressed to the valid lanes: what fewer updates save, stores across lines lose.
    _mm512_store_si512(group.index, _mm512_mask_mov_epi32(spare_, valid, index));
    _mm512_store_si512(group.payload, payload);
    // Each lane counts for itself: cheaper than moving every mask out of its register.
    authorized_ = _mm512_mask_add_epi32(authorized_, authorized, authorized_, one);
    current_ = _mm512_mask_add_epi32(current_, current, current_, one);
    known_ = _mm512_mask_add_epi32(known_, known, known_, one);
    valid_ = _mm512_mask_add_epi32(valid_, valid, valid_, one);
  }

  std::uint64_t passed(std::uint32_t k) const {
    const __m512i totals[kOwnReasons] = {authorized_, current_, known_, valid_};
    std::uint32_t lanes[16];
    _mm512_storeu_si512(lanes, totals[k]);
    std::uint64_t sum = 0;
    for (const std::uint32_t lane : lanes) {
      sum += lane;
    }
    return sum;
  }

 private:
  __m512i nodes_;
  __m512i round_;
  __m512i proposals_;
  __m512i values_;
  __m512i scale_;
  __m512i spare_;
  __m512i authorized_ = {};
  __m512i current_ = {};
  __m512i known_ = {};
  __m512i valid_ = {};
};

std::uint64_t zero_lanes(__m512i cells, std::uint8_t mask) {
  return _mm512_testn_epi8_mask(cells, _mm512_set1_epi8(static_cast<char>(mask)));
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
