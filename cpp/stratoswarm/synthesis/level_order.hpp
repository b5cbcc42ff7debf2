// Trees to the columns of a node table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace stratoperf::synthesis {

// One row for each node, in level order: the children of a node are neighbors.
struct NodeColumns {
  std::vector<std::uint32_t> kind = {};
  std::vector<std::uint32_t> value = {};
  std::vector<std::uint32_t> count = {};
  std::vector<std::uint32_t> first_child = {};
  std::vector<std::uint32_t> parent = {};
  std::vector<std::uint32_t> layout = {};
};

constexpr std::uint32_t kNoParent = 0xffffffff;  // the parent of a root
constexpr std::size_t kMostNodes = std::size_t{1} << 31;

// How the children of a node spread over its fields: for each field their number, or, with
// kWithGaps, the length of a list with an entry for each element, 0 where it holds nothing.
using Layout = std::vector<std::uint32_t>;
constexpr std::uint32_t kWithGaps = 0x80000000;

// Numbers layouts in the order in which they come.
class Layouts {
 public:
  // -1 when there is none and `add` is false.
  std::int64_t id(const Layout& layout, bool add);
  const std::vector<Layout>& all() const { return all_; }

 private:
  std::unordered_map<std::uint64_t, std::uint32_t> short_ = {};
  std::unordered_map<std::string, std::uint32_t> long_ = {};
  std::vector<Layout> all_ = {};
};

// What a node says itself.
struct NodeContent {
  std::uint32_t kind = 0;
  std::uint32_t value = 0;
};

// Appends trees to columns. `Node` is a handle that owns what it needs, and converts to bool: false
// for no node.
template <typename Node>
class LevelOrder {
 public:
  LevelOrder(Layouts& layouts, NodeColumns& columns) : layouts_(layouts), columns_(columns) {}

  // `read` gets a node and this object, tells it the children, field by field, and returns the
  // NodeContent. Throws what it throws, and std::invalid_argument for a node that contains itself.
  template <typename Read>
  void append(Node root, Read&& read) {
    const std::size_t first = columns_.kind.size();
    // The nodes met so far are the queue of a walk level by level.
    nodes_.clear();
    push(std::move(root), kNoParent);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Node node = std::move(nodes_[i]);  // its children keep what they need alive
      row_ = static_cast<std::uint32_t>(first + i);
      const std::size_t before = nodes_.size();
      layout_.clear();
      const NodeContent content = read(node, *this);
      columns_.kind.push_back(content.kind);
      columns_.value.push_back(content.value);
      columns_.count.push_back(static_cast<std::uint32_t>(nodes_.size() - before));
      columns_.first_child.push_back(static_cast<std::uint32_t>(first + before));
      columns_.layout.push_back(static_cast<std::uint32_t>(layouts_.id(layout_, true)));
    }
  }

  // A field of at most one child.
  void child(Node node) {
    layout_.push_back(node ? 1 : 0);
    if (node) {
      push(std::move(node), row_);
    }
  }

  // A field of several: `element` returns each by its index.
  template <typename Element>
  void children(std::size_t size, Element&& element) {
    const std::size_t at = layout_.size();
    layout_.push_back(static_cast<std::uint32_t>(size));
    const std::size_t before = nodes_.size();
    for (std::size_t i = 0; i < size; ++i) {
      Node node = element(i);
      if (node) {
        push(std::move(node), row_);
      }
    }
    if (nodes_.size() - before < size) {
      layout_[at] |= kWithGaps;
      for (std::size_t i = 0; i < size; ++i) {
        layout_.push_back(element(i) ? 1 : 0);
      }
    }
  }

 private:
  void push(Node node, std::uint32_t parent) {
    if (columns_.parent.size() >= kMostNodes) {
      throw std::invalid_argument(
          "tree: at most 2^31 nodes fit a table; does a node contain itself?");
    }
    nodes_.push_back(std::move(node));
    columns_.parent.push_back(parent);
  }

  Layouts& layouts_;
  NodeColumns& columns_;
  std::vector<Node> nodes_ = {};
  std::uint32_t row_ = 0;
  Layout layout_ = {};
};

}  // namespace stratoperf::synthesis
