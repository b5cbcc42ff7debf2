// Tables and patterns for tests of matching: few types and values, so that much matches.
#pragma once

#include <doctest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "stratoswarm/synthesis/matcher.hpp"
#include "stratoswarm/synthesis/rules.hpp"
#include "stratoswarm/synthesis/subtrees.hpp"

namespace stratoperf::synthesis {

inline constexpr std::uint32_t kKinds = 4;
inline constexpr std::uint32_t kValues = 4;
inline constexpr std::uint32_t kLayouts = 3;

// Random trees, level by level.
struct Table {
  std::vector<std::uint32_t> kind = {};
  std::vector<std::uint32_t> value = {};
  std::vector<std::uint32_t> count = {};
  std::vector<std::uint32_t> first_child = {};
  std::vector<std::uint32_t> layout = {};
  std::vector<std::uint32_t> subtree = {};

  Nodes nodes() const {
    return {kind.data(),
            value.data(),
            count.data(),
            first_child.data(),
            layout.data(),
            subtree.data(),
            static_cast<std::uint32_t>(kind.size())};
  }
};

inline Table random_table(std::uint32_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  Table table;
  std::uint32_t reached = 1;  // nodes that are a root or a child of one that is there
  for (std::uint32_t row = 0; row < size; ++row) {
    reached = reached == row ? row + 1 : reached;
    const auto wanted = static_cast<std::uint32_t>(random() % 4);
    const std::uint32_t children = wanted < size - reached ? wanted : 0;
    table.kind.push_back(static_cast<std::uint32_t>(random() % kKinds));
    table.value.push_back(static_cast<std::uint32_t>(random() % kValues));
    table.count.push_back(children);
    table.first_child.push_back(children == 0 ? 0 : reached);
    table.layout.push_back(static_cast<std::uint32_t>(random() % kLayouts));
    reached += children;
  }
  table.subtree = number_subtrees(table.nodes());
  return table;
}

// Random patterns of one to four nodes.
struct PatternSet {
  std::vector<PatternNode> nodes = {};
  std::vector<std::uint32_t> begin = {0};
  std::vector<std::uint32_t> layout_sets = {0b011, 0b100};

  Patterns patterns() const {
    return {nodes.data(), begin.data(), layout_sets.data(), 1,
            static_cast<std::uint32_t>(begin.size() - 1)};
  }
};

// A value below `values`, or kAny, or now and then what no node has.
inline std::uint32_t random_field(std::mt19937& random, std::uint32_t values) {
  const auto draw = static_cast<std::uint32_t>(random() % 16);
  return draw < 5 ? kAny : draw == 5 ? kAbsent : static_cast<std::uint32_t>(random() % values);
}

inline PatternSet random_patterns(std::uint32_t count, std::uint32_t most_nodes,
                                  std::uint32_t seed) {
  std::mt19937 random(seed);
  constexpr std::uint32_t kSomeLayouts[] = {kAny, kAny, 1, kLayoutSet, kLayoutSet | 1, kAbsent};
  PatternSet set;
  for (std::uint32_t pattern = 0; pattern < count; ++pattern) {
    const auto size = 1 + static_cast<std::uint32_t>(random() % most_nodes);
    for (std::uint32_t i = 0; i < size; ++i) {
      PatternNode node = {};
      node.fields = {random_field(random, kKinds), random_field(random, kValues),
                     random_field(random, 4)};
      node.parent = i == 0 ? kNone : static_cast<std::uint32_t>(random() % i);
      node.child = static_cast<std::uint32_t>(random() % 2) | (random() % 2 == 0 ? kFromEnd : 0);
      node.layout = most_nodes == 1 ? kAny : kSomeLayouts[random() % std::size(kSomeLayouts)];
      node.same = i > 0 && random() % 3 == 0 ? static_cast<std::uint32_t>(random() % i) |
                                                   (random() % 2 == 0 ? kSameValue : 0)
                                             : kNone;
      set.nodes.push_back(node);
    }
    set.begin.push_back(static_cast<std::uint32_t>(set.nodes.size()));
  }
  return set;
}

inline Hits on_cpu(const Table& table, const PatternSet& set) {
  Hits hits;
  Matcher matcher(table.nodes(), set.patterns(),
                  {1, false, std::uint64_t{1} << 32, instruction_sets().back()});
  REQUIRE(matcher.match(hits));
  return hits;
}

inline void check_equal(const Hits& found, const Hits& expected) {
  CHECK(found.begin == expected.begin);
  CHECK(found.comparisons == expected.comparisons);
  CHECK(found.avoided == 0);
  REQUIRE(found.size() == expected.size());
  std::uint64_t different = 0;
  for (std::uint64_t hit = 0; hit < found.size(); ++hit) {
    different += found.rows.data()[hit] != expected.rows.data()[hit];
  }
  CHECK(different == 0);
}

}  // namespace stratoperf::synthesis
