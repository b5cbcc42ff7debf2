// The loops over many nodes, compiled once for each instruction set.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "stratoswarm/instruction_sets.hpp"
#include "stratoswarm/synthesis/rules.hpp"

namespace stratoperf::synthesis {

// Nodes that stay in the first-level cache, with the outcomes for kChunk patterns (24 + 16 KiB),
// while these are compared with them.
inline constexpr std::uint32_t kTile = 2048;
inline constexpr std::uint32_t kTileWords = kTile / 64;
inline constexpr std::uint32_t kChunk = 64;

// Nodes written behind the last one that `compact` returns.
inline constexpr std::uint32_t kSpareNodes = 16;

// Which fields of a pattern are compared: those that are not kAny.
inline constexpr std::uint32_t kKindField = 1;
inline constexpr std::uint32_t kValueField = 2;
inline constexpr std::uint32_t kCountField = 4;
inline constexpr std::uint32_t kFieldSets = 8;

// The columns from some node on.
struct Tile {
  const std::uint32_t* kind;
  const std::uint32_t* value;
  const std::uint32_t* count;
};

// The loops for one instruction set.
struct Kernels {
  // Compares `size` patterns with words * 64 nodes: bit i of bits[p * kTileWords + w] becomes
  // whether pattern p fits node 64 * w + i. One function for each set of fields, which has no
  // operation for those that it does not compare.
  using Scan = void (*)(const Tile& tile, std::uint32_t words, const Fields* patterns,
                        std::uint32_t size, std::uint64_t* bits);
  Scan scan[kFieldSets];
  // Writes the numbers of the bits that are set, the first bit being `base`; returns their end.
  std::uint32_t* (*compact)(const std::uint64_t* bits, std::uint32_t words, std::uint32_t base,
                            std::uint32_t* out);
};

using InstructionSet = dispatch::InstructionSet<Kernels>;

// The instruction sets that this CPU has, the widest first; the last is the baseline.
std::span<const InstructionSet> instruction_sets();

// The one with this name; the widest for an empty name. Throws std::invalid_argument.
const InstructionSet& instruction_set(std::string_view name);

}  // namespace stratoperf::synthesis
