#include "stratoswarm/synthesis/requirements.hpp"

#include <stdexcept>
#include <string>

namespace stratoperf::synthesis {
namespace {

void require(bool holds, const std::string& otherwise) {
  if (!holds) {
    throw std::invalid_argument(otherwise);
  }
}

}  // namespace

void require_search(const Nodes& nodes, const Patterns& patterns) {
  require(nodes.size < kAny / 2, "table: must have fewer than 2^31 nodes");
  for (std::uint32_t pattern = 0; pattern < patterns.size; ++pattern) {
    const std::uint32_t size = patterns.begin[pattern + 1] - patterns.begin[pattern];
    const std::string name = "patterns: number " + std::to_string(pattern);
    require(size > 0 && size <= kMostPatternNodes, name + " must have 1 to " +
                                                       std::to_string(kMostPatternNodes) +
                                                       " nodes, got " + std::to_string(size));
    const PatternNode* const of_pattern = patterns.nodes + patterns.begin[pattern];
    for (std::uint32_t i = 0; i < size; ++i) {
      const PatternNode& node = of_pattern[i];
      require(i == 0 || node.parent < i, name + " has a node before its parent");
      require(node.same == kNone || (node.same & ~kSameValue) < i,
              name + " has a placeholder that repeats a later one");
      require(node.same == kNone || (node.same & kSameValue) != 0 || nodes.subtree != nullptr,
              name + " repeats a placeholder, and the table has no numbers of subtrees");
    }
  }
}

void require_hits(std::uint64_t found, std::uint64_t max_hits) {
  require(found <= max_hits,
          "patterns: they have more than " + std::to_string(max_hits) +
              " hits, which is all that max_bytes has room for; match fewer or narrower patterns "
              "at once, or raise max_bytes");
}

Busy::Busy(std::atomic<bool>& flag) : flag_(flag) {
  if (flag_.exchange(true, std::memory_order_acquire)) {
    throw std::runtime_error(
        "this Matcher is matching in another thread; give each thread its own Matcher");
  }
}

}  // namespace stratoperf::synthesis
