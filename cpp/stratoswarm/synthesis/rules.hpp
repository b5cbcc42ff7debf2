// The rules of matching, one pattern node and one node at a time. Every backend uses these.
#pragma once

#include <cstdint>

#include "core/host_device.hpp"

namespace stratoperf::synthesis {

// In a field of a pattern: anything matches. No node has this number, nor kAbsent.
inline constexpr std::uint32_t kAny = 0xffffffff;
// In a field of a pattern: what it asks for is not in the vocabulary of the table.
inline constexpr std::uint32_t kAbsent = 0xfffffffe;
// No row, no slot.
inline constexpr std::uint32_t kNone = 0xffffffff;
// A pattern keeps one row for each of its nodes while it is compared.
inline constexpr std::uint32_t kMostPatternNodes = 64;
// Set in PatternNode::child: counted from the last child, which is 0.
inline constexpr std::uint32_t kFromEnd = 0x80000000;
// Set in PatternNode::layout: the rest is a row of Patterns::layout_sets.
inline constexpr std::uint32_t kLayoutSet = 0x80000000;
// Set in PatternNode::same: the values must be equal, whatever else the nodes are.
inline constexpr std::uint32_t kSameValue = 0x80000000;

// The nodes of a table: structure of arrays, not owned. The children of a node are neighbors.
struct Nodes {
  const std::uint32_t* kind = nullptr;
  const std::uint32_t* value = nullptr;
  const std::uint32_t* count = nullptr;
  const std::uint32_t* first_child = nullptr;
  const std::uint32_t* layout = nullptr;
  const std::uint32_t* subtree = nullptr;  // equal for equal trees; read for repeated placeholders
  std::uint32_t size = 0;
};

// What one comparison compares.
struct Fields {
  std::uint32_t kind;
  std::uint32_t value;
  std::uint32_t count;
};

// A node of a pattern. Those of one pattern follow each other, parents before their children.
struct PatternNode {
  Fields fields;         // kAny where anything matches
  std::uint32_t parent;  // within the pattern; the first node has none
  std::uint32_t child;   // which child of the parent it is compared with, maybe kFromEnd
  std::uint32_t layout;  // a layout, or a set of them (kLayoutSet), or kAny
  std::uint32_t same;    // the node of the pattern that must have matched an equal tree, or kNone
};

struct Patterns {
  const PatternNode* nodes = nullptr;
  const std::uint32_t* begin = nullptr;        // of pattern p: begin[p] to begin[p + 1]
  const std::uint32_t* layout_sets = nullptr;  // rows of layout_words words, a bit a layout
  std::uint32_t layout_words = 0;
  std::uint32_t size = 0;
};

// One operation: a pattern node against a node.
STRATOPERF_HOST_DEVICE bool compare(const Fields& pattern, std::uint32_t kind, std::uint32_t value,
                                    std::uint32_t count) {
  const bool kind_fits = pattern.kind == kAny || pattern.kind == kind;
  const bool value_fits = pattern.value == kAny || pattern.value == value;
  const bool count_fits = pattern.count == kAny || pattern.count == count;
  return kind_fits && value_fits && count_fits;
}

STRATOPERF_HOST_DEVICE bool layout_fits(const Patterns& patterns, std::uint32_t wanted,
                                        std::uint32_t layout) {
  if (wanted == kAny || wanted == kAbsent) {
    return wanted == kAny;
  }
  if ((wanted & kLayoutSet) == 0) {
    return wanted == layout;
  }
  const std::uint32_t row = wanted & ~kLayoutSet;
  return (patterns.layout_sets[row * patterns.layout_words + layout / 32] >> layout % 32 & 1) != 0;
}

// Everything that the first comparison of a pattern with a node leaves open, in the order of the
// pattern's nodes, ended by the first thing that does not fit. `bound` has room for the rows of
// all nodes of the pattern. `comparisons` grows by the comparisons evaluated: it is the same
// number for every backend.
STRATOPERF_HOST_DEVICE bool match_below(const Nodes& nodes, const Patterns& patterns,
                                        std::uint32_t pattern, std::uint32_t row,
                                        std::uint32_t* bound, std::uint64_t& comparisons) {
  const PatternNode* const first = patterns.nodes + patterns.begin[pattern];
  const std::uint32_t size = patterns.begin[pattern + 1] - patterns.begin[pattern];
  bound[0] = row;
  for (std::uint32_t i = 0; i < size; ++i) {
    const PatternNode& wanted = first[i];
    if (i > 0) {
      const std::uint32_t above = bound[wanted.parent];
      const std::uint32_t count = nodes.count[above];
      const std::uint32_t place = wanted.child & ~kFromEnd;
      if (place >= count) {
        return false;  // there is no such child to compare with
      }
      row = nodes.first_child[above] + ((wanted.child & kFromEnd) != 0 ? count - 1 - place : place);
      bound[i] = row;
      ++comparisons;
      if (!compare(wanted.fields, nodes.kind[row], nodes.value[row], nodes.count[row])) {
        return false;
      }
    }
    if (!layout_fits(patterns, wanted.layout, nodes.layout[row])) {
      return false;
    }
    if (wanted.same != kNone) {
      const std::uint32_t other = bound[wanted.same & ~kSameValue];
      const std::uint32_t* const column =
          (wanted.same & kSameValue) != 0 ? nodes.value : nodes.subtree;
      if (column[row] != column[other]) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace stratoperf::synthesis
