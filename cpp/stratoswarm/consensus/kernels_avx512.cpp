// The loops for AVX-512 (F, BW, DQ, VL). Compiled with its flags; called only where the CPU has it.
#include <immintrin.h>

#include <cstdint>

#include "stratoswarm/consensus/kernels_scratch.hpp"
#include "stratoswarm/consensus/kernels_sets.hpp"

namespace stratoperf::consensus {
namespace {

// As in kernels_classify.inc. Small groups: while the votes of one are added, one cell update a
// cycle, the core has room to classify another.
constexpr bool kLanesShift = true;
constexpr std::uint32_t kGroup = 16;
constexpr std::uint64_t kDelay = 4;

using Group = PairedGroup<kGroup>;

// How far ahead votes are fetched: the time that so many take hides the latency of an outer cache.
constexpr std::uint64_t kAhead = 256;

__m512i broadcast(std::uint32_t word) { return _mm512_set1_epi32(static_cast<int>(word)); }

__m512i lane_numbers() {
  return _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

// Hands out a column of votes in groups and reads each cache line once. Columns begin anywhere; a
// load that crosses lines takes two accesses, which the updates of the cells would wait for.
class Column {
 public:
  // Of so many words; unless they are two groups or more, nothing is read.
  Column(const std::uint32_t* words, std::uint64_t count) {
    const auto lane = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(words) /
                                                 sizeof(*words) % kGroup);
    const auto inside = static_cast<__mmask16>(count < 2 * kGroup ? 0 : 0xffffu << lane);
    line_ = words - lane;
    order_ = _mm512_add_epi32(broadcast(lane), lane_numbers());
    held_ = _mm512_maskz_loadu_epi32(inside, line_);
  }

  // The next group; another one must follow it.
  __m512i next() {
    line_ += kGroup;
    __builtin_prefetch(line_ + kAhead);
    __m512i following = _mm512_loadu_si512(line_);
    asm("" : "+v"(following));  // or the compiler loads it twice, for both of its uses
    const __m512i group = _mm512_permutex2var_epi32(held_, order_, following);
    held_ = following;
    return group;
  }

 private:
  const std::uint32_t* line_;
  __m512i order_;
  __m512i held_;
};

template <typename Cell>
class Classifier {
 public:
  Classifier(const Cell& cell, const Limits& limits, const Votes& votes)
      : votes_(votes),
        voter_(votes.voter, votes.count),
        proposal_(votes.proposal, votes.count),
        value_(votes.value, votes.count),
        round_(votes.round, votes.count),
        nodes_(broadcast(limits.nodes)),
        current_round_(broadcast(limits.round)),
        proposals_(broadcast(limits.proposals)),
        values_(broadcast(limits.values)),
        scale_(broadcast(cell.scale())),
        spare_(_mm512_add_epi32(broadcast(limits.nodes * limits.proposals), lane_numbers())) {}

  std::uint64_t streamed() const {
    return votes_.count < 2 * kGroup ? 0 : votes_.count / kGroup - 1;
  }

  void fill_next(Group& group) {
    classify(0xffff, voter_.next(), proposal_.next(), value_.next(), round_.next(), group);
  }

  void fill(std::uint64_t begin, Group& group) {
    const std::uint64_t left = votes_.count - begin;
    const auto lanes = static_cast<__mmask16>(left < kGroup ? (1u << left) - 1 : 0xffffu);
    classify(lanes, _mm512_maskz_loadu_epi32(lanes, votes_.voter + begin),
             _mm512_maskz_loadu_epi32(lanes, votes_.proposal + begin),
             _mm512_maskz_loadu_epi32(lanes, votes_.value + begin),
             _mm512_maskz_loadu_epi32(lanes, votes_.round + begin), group);
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
  void classify(__mmask16 lanes, __m512i voter, __m512i proposal, __m512i value, __m512i round,
                Group& group) {
    const __mmask16 authorized = _mm512_mask_cmplt_epu32_mask(lanes, voter, nodes_);
    const __mmask16 current = _mm512_mask_cmpeq_epi32_mask(authorized, round, current_round_);
    const __mmask16 known = _mm512_mask_cmplt_epu32_mask(current, proposal, proposals_);
    const __mmask16 valid = _mm512_mask_cmplt_epu32_mask(known, value, values_);
    const __m512i cell = _mm512_add_epi32(_mm512_mullo_epi32(proposal, nodes_), voter);
    const __m512i scaled = _mm512_mullo_epi32(value, scale_);
    const __m512i one = _mm512_set1_epi32(1);
    constexpr bool kPrepared = prepares_addends<Cell, kLanesShift>();
    const __m512i payload = kPrepared ? _mm512_maskz_sllv_epi32(valid, one, scaled) : scaled;
    // Not compressed to the valid lanes: what fewer updates save, stores across lines lose.
    const __m512i index = _mm512_mask_mov_epi32(spare_, valid, cell);
    _mm512_store_si512(group.pairs, _mm512_maskz_unpacklo_epi32(0xffff, index, payload));
    _mm512_store_si512(group.pairs + 8, _mm512_maskz_unpackhi_epi32(0xffff, index, payload));
    // Each lane counts for itself: cheaper than moving every mask out of its register.
    authorized_ = _mm512_mask_add_epi32(authorized_, authorized, authorized_, one);
    current_ = _mm512_mask_add_epi32(current_, current, current_, one);
    known_ = _mm512_mask_add_epi32(known_, known, known_, one);
    valid_ = _mm512_mask_add_epi32(valid_, valid, valid_, one);
  }

  Votes votes_;
  Column voter_;
  Column proposal_;
  Column value_;
  Column round_;
  __m512i nodes_;
  __m512i current_round_;
  __m512i proposals_;
  __m512i values_;
  __m512i scale_;
  __m512i spare_;
  __m512i authorized_ = {};
  __m512i current_ = {};
  __m512i known_ = {};
  __m512i valid_ = {};
};

// One bit for each cell that has none of the bits of `mask`, where `among` has a bit.
std::uint64_t zero_lanes(std::uint64_t among, __m512i cells, std::uint8_t mask) {
  return _mm512_mask_testn_epi8_mask(among, cells, _mm512_set1_epi8(static_cast<char>(mask)));
}
std::uint64_t zero_lanes(std::uint64_t among, __m512i cells, std::uint16_t mask) {
  return _mm512_mask_testn_epi16_mask(static_cast<__mmask32>(among), cells,
                                      _mm512_set1_epi16(static_cast<short>(mask)));
}
std::uint64_t zero_lanes(std::uint64_t among, __m512i cells, std::uint32_t mask) {
  return _mm512_mask_testn_epi32_mask(static_cast<__mmask16>(among), cells, broadcast(mask));
}
std::uint64_t zero_lanes(std::uint64_t among, __m512i cells, std::uint64_t mask) {
  return _mm512_mask_testn_epi64_mask(static_cast<__mmask8>(among), cells,
                                      _mm512_set1_epi64(static_cast<long long>(mask)));
}

// As in kernels_block.inc, in registers.
template <typename Word>
class Block {
 public:
  Block(const Word* cells, std::uint32_t size, const Word* /*end*/) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(cells);
    std::uint32_t left = size < 64 ? size * sizeof(Word) : 64 * sizeof(Word);
    for (__m512i& part : parts_) {
      const __mmask64 inside = left < 64 ? (std::uint64_t{1} << left) - 1 : ~std::uint64_t{0};
      part = _mm512_maskz_loadu_epi8(inside, bytes);
      bytes += 64;
      left -= left < 64 ? left : 64;
    }
  }

  __m512i cells() const { return parts_[0]; }

  std::uint64_t voted() const { return ~zero(static_cast<Word>(~Word{0}), ~std::uint64_t{0}); }

  std::uint64_t zero(Word mask, std::uint64_t among) const {
    constexpr std::uint32_t kLanes = 64 / sizeof(Word);
    std::uint64_t result = 0;
    for (std::uint32_t i = 0; i < sizeof(Word); ++i) {
      result |= zero_lanes(among >> (kLanes * i), parts_[i], mask) << (kLanes * i);
    }
    return result;
  }

 private:
  __m512i parts_[sizeof(Word)];
};

// For two short counters in a byte; of others the sums mean nothing.
template <>
class VoteSums<ByteCell> {
 public:
  explicit VoteSums(const ByteCell& cell) : complete_(cell.counts_short()) {}

  void add(const Block<std::uint8_t>& block, std::uint64_t several) {
    const __m512i low = _mm512_set1_epi8(15);
    const __m512i cells = block.cells();
    const __m512i votes = _mm512_add_epi8(_mm512_and_si512(cells, low),
                                          _mm512_and_si512(_mm512_srli_epi16(cells, 4), low));
    const __m512i zero = _mm512_setzero_si512();
    all_ = _mm512_add_epi64(all_, _mm512_sad_epu8(votes, zero));
    equivocal_ =
        _mm512_add_epi64(equivocal_, _mm512_sad_epu8(_mm512_maskz_mov_epi8(several, votes), zero));
  }

  bool complete() const { return complete_; }
  std::uint64_t all() const { return sum(all_); }
  std::uint64_t equivocal() const { return sum(equivocal_); }

 private:
  static std::uint64_t sum(__m512i lanes) {
    std::uint64_t words[8];
    _mm512_storeu_si512(words, lanes);
    std::uint64_t sum = 0;
    for (const std::uint64_t word : words) {
      sum += word;
    }
    return sum;
  }

  bool complete_;
  __m512i all_ = {};
  __m512i equivocal_ = {};
};

}  // namespace
}  // namespace stratoperf::consensus

#include "stratoswarm/consensus/kernels_equivocators.inc"
#include "stratoswarm/consensus/kernels_loops.inc"

namespace stratoperf::consensus {
const Kernels& avx512_kernels() { return kKernels; }
}  // namespace stratoperf::consensus
