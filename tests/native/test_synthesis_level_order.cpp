#include <doctest.h>

#include <memory>
#include <vector>

#include "stratoswarm/synthesis/level_order.hpp"

using stratoperf::synthesis::kNoParent;
using stratoperf::synthesis::kWithGaps;
using stratoperf::synthesis::Layout;
using stratoperf::synthesis::Layouts;
using stratoperf::synthesis::LevelOrder;
using stratoperf::synthesis::NodeColumns;
using stratoperf::synthesis::NodeContent;

namespace {

// A node with one field of a single child and one of several, null where there is none.
struct Tree;
using Node = std::shared_ptr<const Tree>;
struct Tree {
  std::uint32_t kind = 0;
  Node single = nullptr;
  std::vector<Node> several = {};
};

Node leaf(std::uint32_t kind) { return std::make_shared<Tree>(Tree{.kind = kind}); }

void append(const Node& root, Layouts& layouts, NodeColumns& columns) {
  LevelOrder<Node>(layouts, columns).append(root, [](const Node& node, LevelOrder<Node>& rows) {
    rows.child(node->single);
    rows.children(node->several.size(), [&](std::size_t i) { return node->several[i]; });
    return NodeContent{node->kind, node->kind + 100};
  });
}

using Column = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("children are neighbors, and come after their parents level by level") {
  const Node below = std::make_shared<Tree>(Tree{2, leaf(4), {}});
  const Node root = std::make_shared<Tree>(Tree{1, below, {leaf(3), leaf(3)}});
  Layouts layouts;
  NodeColumns columns;
  append(root, layouts, columns);
  CHECK(columns.kind == Column{1, 2, 3, 3, 4});
  CHECK(columns.value == Column{101, 102, 103, 103, 104});
  CHECK(columns.count == Column{3, 1, 0, 0, 0});
  CHECK(columns.first_child[0] == 1);
  CHECK(columns.first_child[1] == 4);
  CHECK(columns.parent == Column{kNoParent, 0, 0, 0, 1});
  CHECK(layouts.all()[columns.layout[0]] == Layout{1, 2});
  CHECK(layouts.all()[columns.layout[1]] == Layout{1, 0});
  CHECK(layouts.all()[columns.layout[4]] == Layout{0, 0});
}

TEST_CASE("a second tree comes behind the first one, with its numbers") {
  Layouts layouts;
  NodeColumns columns;
  const Node root = std::make_shared<Tree>(Tree{1, leaf(2), {}});
  append(root, layouts, columns);
  append(root, layouts, columns);
  CHECK(columns.parent == Column{kNoParent, 0, kNoParent, 2});
  CHECK(columns.first_child[2] == 3);
  CHECK(columns.layout == Column{0, 1, 0, 1});
}

TEST_CASE("a list that holds nothing here and there says where") {
  Layouts layouts;
  NodeColumns columns;
  append(std::make_shared<Tree>(Tree{1, nullptr, {nullptr, leaf(2), nullptr}}), layouts, columns);
  CHECK(columns.count == Column{1, 0});
  CHECK(layouts.all()[columns.layout[0]] == Layout{0, kWithGaps | 3, 0, 1, 0});
}

TEST_CASE("layouts are numbered once each, however long they are") {
  Layouts layouts;
  const std::vector<Layout> known = {{},
                                     {0},
                                     {0, 0},
                                     {255},
                                     {256},
                                     {1, 2, 3, 4, 5, 6, 7},
                                     {1, 2, 3, 4, 5, 6, 7, 8},
                                     {kWithGaps, 0}};
  for (const Layout& layout : known) {
    CHECK(layouts.id(layout, false) == -1);
    const std::int64_t added = layouts.id(layout, true);
    CHECK(layouts.id(layout, false) == added);
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    CHECK(layouts.id(known[i], true) == static_cast<std::int64_t>(i));
  }
  CHECK(layouts.all() == known);
}
