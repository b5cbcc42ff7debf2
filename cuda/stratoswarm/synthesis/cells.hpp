// Where a match on a device keeps what it needs, and what its kernels are told.
//
// A cell is what one warp compares at a time: 256 nodes with one pattern, 8 nodes for each lane.
// Its outcome is a bit for each node, 32 bytes: one sector of device memory, written only where
// anything fits. Cells in the order of (pattern, nodes) are hits in the order of (pattern, row).
#pragma once

#include <cstdint>

#include "stratoswarm/synthesis/rules.hpp"

namespace stratoperf::cuda::synthesis {

using stratoperf::synthesis::kAbsent;
using stratoperf::synthesis::kAny;
using stratoperf::synthesis::Nodes;
using stratoperf::synthesis::Patterns;

inline constexpr std::uint32_t kLaneNodes = 8;
inline constexpr std::uint32_t kCellNodes = 32 * kLaneNodes;
inline constexpr std::uint32_t kCellBytes = kCellNodes / 8;

// Cells whose hits one block places in order, and which share a sum.
inline constexpr std::uint32_t kPlacedCells = 4096;

// Type and child count of a node as one word, so that one operation compares both: they are
// numbered anew, by those that the table has, and each number fits half a word.
STRATOPERF_HOST_DEVICE std::uint32_t shape_of(std::uint32_t kind, std::uint32_t count) {
  return kind << 16 | count;
}
inline constexpr std::uint32_t kKindMask = 0xffff0000;
inline constexpr std::uint32_t kCountMask = 0x0000ffff;
// No node has a type, or a count, of this number.
inline constexpr std::uint32_t kNoShapeNumber = 0xffff;

// The first node of a pattern as it is compared.
struct alignas(16) Key {
  std::uint32_t shape;
  std::uint32_t mask;     // the bits of the shape that are compared
  std::uint32_t value;    // compared in keys before Pass::with_value
  std::uint32_t pattern;  // its number, and kGoesOn where one comparison is not all
};
inline constexpr std::uint32_t kGoesOn = 0x80000000;

// What does not change from match to match. All in device memory.
struct Search {
  const std::uint32_t* shapes;  // of each node, and up to the end of the last cell of none
  const std::uint32_t* values;
  std::uint32_t size;  // nodes
  std::uint32_t row;   // cells of one pattern
  Nodes nodes;         // for patterns that go on; empty where there are none
  Patterns patterns;
  std::uint32_t* counts;       // of each cell of a pass: its hits
  std::uint32_t* sums;         // of kPlacedCells cells each
  unsigned char* bits;         // of each cell: those of lane i are byte i
  std::uint64_t* hits;         // before each pass, and before the end
  std::uint64_t* comparisons;  // behind the first of each pattern and node
  std::uint64_t* begin;        // of each pattern's hits
  std::uint32_t* rows;
  std::uint64_t capacity;  // rows that there is room for
};

// Patterns that are compared at once: as many as there are cells for.
struct Pass {
  const Key* keys;
  std::uint32_t first;       // pattern
  std::uint32_t size;        // patterns
  std::uint32_t with_value;  // keys that compare the value; they come first
  std::uint32_t number;
  std::uint32_t tile;   // keys that a block holds in shared memory
  std::uint32_t tiles;  // of all keys
};

// What the host gets, in page-locked memory that it shares with the device.
struct Header {
  std::uint64_t hits;  // found; where they are more than there was room for, rows are missing
  std::uint64_t comparisons;
};
struct Delivery {
  Header* header;
  std::uint64_t* begin;
  std::uint32_t* rows;  // null where they stay in device memory
};

}  // namespace stratoperf::cuda::synthesis
