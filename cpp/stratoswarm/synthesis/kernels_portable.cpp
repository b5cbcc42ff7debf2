// The loops for the baseline instruction set, left to the compiler's vectorizer: SSE2 on x86-64,
// NEON on AArch64.
#include <cstdint>

#include "stratoswarm/synthesis/kernels_compact.inc"
#include "stratoswarm/synthesis/kernels_sets.hpp"

namespace stratoperf::synthesis {
namespace {

template <std::uint32_t kFields>
class Block {
 public:
  explicit Block(const Tile& tile) : tile_(tile) {}

  std::uint64_t fits(const Fields& pattern) const {
    std::uint8_t equal[64];
    for (int i = 0; i < 64; ++i) {
      std::uint32_t differ = 0;
      if constexpr ((kFields & kKindField) != 0) {
        differ |= tile_.kind[i] ^ pattern.kind;
      }
      if constexpr ((kFields & kValueField) != 0) {
        differ |= tile_.value[i] ^ pattern.value;
      }
      if constexpr ((kFields & kCountField) != 0) {
        differ |= tile_.count[i] ^ pattern.count;
      }
      equal[i] = differ == 0 ? 1 : 0;
    }
    std::uint64_t result = 0;
    for (int byte = 0; byte < 8; ++byte) {
      std::uint64_t eight;
      __builtin_memcpy(&eight, equal + 8 * byte, 8);
      // The factor moves the lowest bit of byte k to bit 56 + k, without carries in between.
      result |= ((eight * 0x0102040810204080u) >> 56) << (8 * byte);
    }
    return result;
  }

 private:
  Tile tile_;
};

}  // namespace
}  // namespace stratoperf::synthesis

#include "stratoswarm/synthesis/kernels_scan.inc"

namespace stratoperf::synthesis {
const Kernels& portable_kernels() { return kKernels; }
}  // namespace stratoperf::synthesis
