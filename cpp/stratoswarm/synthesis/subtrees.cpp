#include "stratoswarm/synthesis/subtrees.hpp"

#include <cstddef>
#include <unordered_set>

namespace stratoperf::synthesis {
namespace {

// Compares rows by what is at them; the children of a row have their numbers already.
struct Trees {
  const Nodes& nodes;
  const std::vector<std::uint32_t>& numbers;

  std::size_t operator()(std::uint32_t row) const {
    std::uint64_t hash = nodes.kind[row];
    const auto add = [&hash](std::uint64_t word) {
      hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 29;
    };
    add(nodes.value[row]);
    add(nodes.layout[row]);
    add(nodes.count[row]);
    for (std::uint32_t i = 0; i < nodes.count[row]; ++i) {
      add(numbers[nodes.first_child[row] + i]);
    }
    return hash;
  }

  bool operator()(std::uint32_t a, std::uint32_t b) const {
    if (nodes.kind[a] != nodes.kind[b] || nodes.value[a] != nodes.value[b] ||
        nodes.layout[a] != nodes.layout[b] || nodes.count[a] != nodes.count[b]) {
      return false;
    }
    for (std::uint32_t i = 0; i < nodes.count[a]; ++i) {
      if (numbers[nodes.first_child[a] + i] != numbers[nodes.first_child[b] + i]) {
        return false;
      }
    }
    return true;
  }
};

}  // namespace

std::vector<std::uint32_t> number_subtrees(const Nodes& nodes) {
  std::vector<std::uint32_t> numbers(nodes.size);
  const Trees trees = {nodes, numbers};
  std::unordered_set<std::uint32_t, Trees, Trees> known(nodes.size / 4 + 1, trees, trees);
  // Backwards: children stand after their parents.
  for (std::uint32_t row = nodes.size; row-- > 0;) {
    numbers[row] = *known.insert(row).first;
  }
  return numbers;
}

}  // namespace stratoperf::synthesis
