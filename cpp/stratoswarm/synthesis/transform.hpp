// Matched nodes replaced by a template: a table becomes another table.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/operation.hpp"
#include "stratoswarm/synthesis/matcher.hpp"
#include "stratoswarm/synthesis/rules.hpp"

namespace stratoperf::synthesis {

// Where a placeholder is found from the nodes that a pattern has compared.
struct Capture {
  enum Place : std::uint32_t {
    kValue,         // the value of `node`
    kSelf,          // `node`
    kChild,         // child `first` of it
    kChildFromEnd,  // child `last` of it, the last one being 0
    kRest,          // its children without the first `first` and the last `last`
  };
  std::uint32_t node;  // within the pattern
  std::uint32_t place;
  std::uint32_t first;
  std::uint32_t last;
};

// In TemplateNode: a child that is a slot, that is, the nodes that a placeholder stands for.
inline constexpr std::uint32_t kSlot = 0x80000000;

struct TemplateNode {
  std::uint32_t kind;
  std::uint32_t value;
  std::uint32_t layout;
  std::uint32_t value_slot;   // the slot that gives the value, or kNone
  std::uint32_t open_layout;  // which of the layouts of a hit it has, or kNone
  std::uint32_t first;        // in Template::children
  std::uint32_t count;
};

// Not owned.
struct Template {
  const TemplateNode* nodes = nullptr;
  const std::uint32_t* children = nullptr;  // nodes of the template, or slots with kSlot
  std::uint32_t root = 0;                   // as a child
  std::uint32_t slots = 0;
  std::uint32_t open_layouts = 0;
};

struct NewTable {
  std::vector<std::uint32_t> kind = {};
  std::vector<std::uint32_t> value = {};
  std::vector<std::uint32_t> count = {};
  std::vector<std::uint32_t> first_child = {};
  std::vector<std::uint32_t> parent = {};
  std::vector<std::uint32_t> layout = {};
};

// The rows that a slot stands for, or its value in `first`.
struct Captured {
  std::uint32_t first;
  std::uint32_t count;
};

// What the slots stand for in each hit of pattern 0: hit after hit, slot after slot.
std::vector<Captured> capture(const Nodes& nodes, const Patterns& patterns,
                              const std::vector<Capture>& captures, const std::uint32_t* rows,
                              std::uint64_t hits);

// A new table of the trees in `nodes` with the nodes at `rows` replaced, and those within what a
// placeholder stands for as well. `layouts` has open_layouts elements for each hit. Trees stay one
// after the other and in level order; those without a hit are copied. Throws std::invalid_argument
// when there would be 2^31 nodes or more; returns false once `stop` does.
class Grafter {
 public:
  Grafter(const Nodes& nodes, const std::uint32_t* parent);

  bool graft(const Template& replacement, const std::uint32_t* rows, std::uint64_t hits,
             const std::vector<Captured>& captured, const std::uint32_t* layouts, NewTable& out,
             const Stop& stop = {});

 private:
  struct Entry {
    std::uint32_t node;  // a row, or a node of the template
    std::uint32_t hit;   // of the template: for which hit; kNone for a row
  };

  void copy_tree(std::uint32_t first, std::uint32_t last, NewTable& out) const;
  bool rewrite_tree(const Template& replacement, const std::vector<Captured>& captured,
                    const std::uint32_t* layouts, std::uint32_t root, NewTable& out,
                    const Stop& stop);
  void push(Entry entry, std::uint32_t parent, NewTable& out);
  void emit(const Template& replacement, const std::vector<Captured>& captured,
            const std::uint32_t* layouts, Entry entry, NewTable& out);
  Entry resolve(const Template& replacement, const std::vector<Captured>& captured,
                Entry entry) const;

  Nodes nodes_;
  const std::uint32_t* parent_;
  std::vector<std::uint32_t> roots_ = {};  // and the end of the last tree
  bool trees_apart_ = true;  // trees stand one after the other, and each in level order
  std::vector<std::uint32_t> hit_of_ = {};
  std::uint32_t base_ = 0;  // where the tree begins whose nodes are in the queue
  std::vector<Entry> queue_ = {};
};

}  // namespace stratoperf::synthesis
