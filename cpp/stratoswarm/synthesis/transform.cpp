#include "stratoswarm/synthesis/transform.hpp"

#include <algorithm>
#include <stdexcept>

#include "stratoswarm/synthesis/level_order.hpp"

namespace stratoperf::synthesis {
namespace {

// Nodes between two looks at the stop token: about 0.1 ms.
constexpr std::uint32_t kPoll = 1u << 13;

Captured find(const Nodes& nodes, const Capture& capture, std::uint32_t row) {
  const std::uint32_t first = nodes.first_child[row];
  const std::uint32_t count = nodes.count[row];
  switch (capture.place) {
    case Capture::kValue:
      return {nodes.value[row], 0};
    case Capture::kSelf:
      return {row, 1};
    case Capture::kChild:
      return {first + capture.first, 1};
    case Capture::kChildFromEnd:
      return {first + count - 1 - capture.last, 1};
    default:
      return {first + capture.first, count - capture.first - capture.last};
  }
}

}  // namespace

std::vector<Captured> capture(const Nodes& nodes, const Patterns& patterns,
                              const std::vector<Capture>& captures, const std::uint32_t* rows,
                              std::uint64_t hits) {
  std::vector<Captured> found;
  found.reserve(hits * captures.size());
  std::uint32_t bound[kMostPatternNodes];
  std::uint64_t comparisons = 0;
  for (std::uint64_t hit = 0; hit < hits; ++hit) {
    if (!match_below(nodes, patterns, 0, rows[hit], bound, comparisons)) {
      throw std::invalid_argument("rows: the pattern does not match at row " +
                                  std::to_string(rows[hit]));
    }
    for (const Capture& capture : captures) {
      found.push_back(find(nodes, capture, bound[capture.node]));
    }
  }
  return found;
}

Grafter::Grafter(const Nodes& nodes, const std::uint32_t* parent) : nodes_(nodes), parent_(parent) {
  std::uint64_t next_child = 0;
  for (std::uint32_t row = 0; row < nodes_.size; ++row) {
    if (parent_[row] == kNone) {
      roots_.push_back(row);
      ++next_child;
    }
    trees_apart_ =
        trees_apart_ && (nodes_.count[row] == 0 || nodes_.first_child[row] == next_child);
    next_child += nodes_.count[row];
  }
  roots_.push_back(nodes_.size);
}

bool Grafter::graft(const Template& replacement, const std::uint32_t* rows, std::uint64_t hits,
                    const std::vector<Captured>& captured, const std::uint32_t* layouts,
                    NewTable& out, const Stop& stop) {
  hit_of_.assign(nodes_.size, kNone);
  for (std::uint64_t hit = 0; hit < hits; ++hit) {
    hit_of_[rows[hit]] = static_cast<std::uint32_t>(hit);
  }
  for (auto* column :
       {&out.kind, &out.value, &out.count, &out.first_child, &out.parent, &out.layout}) {
    column->clear();
    column->reserve(nodes_.size);
  }
  const std::uint32_t* next_hit = rows;
  for (std::size_t tree = 0; tree + 1 < roots_.size(); ++tree) {
    const std::uint32_t last = roots_[tree + 1];
    const std::uint32_t* const first_hit = next_hit;
    while (next_hit != rows + hits && *next_hit < last) {
      ++next_hit;
    }
    if (trees_apart_ && next_hit == first_hit) {
      if (stop && stop()) {
        return false;
      }
      copy_tree(roots_[tree], last, out);
    } else if (!rewrite_tree(replacement, captured, layouts, roots_[tree], out, stop)) {
      return false;
    }
  }
  return true;
}

void Grafter::copy_tree(std::uint32_t first, std::uint32_t last, NewTable& out) const {
  // Wraps around where the new tree begins earlier than the old one; the sums are right again.
  const auto shift = static_cast<std::uint32_t>(out.kind.size()) - first;
  const auto append = [&](std::vector<std::uint32_t>& column, const std::uint32_t* from) {
    column.insert(column.end(), from + first, from + last);
  };
  append(out.kind, nodes_.kind);
  append(out.value, nodes_.value);
  append(out.count, nodes_.count);
  append(out.layout, nodes_.layout);
  append(out.first_child, nodes_.first_child);
  append(out.parent, parent_);
  const std::size_t begin = out.kind.size() - (last - first);
  for (std::size_t i = begin; i < out.kind.size(); ++i) {
    out.first_child[i] += shift;
  }
  for (std::size_t i = begin + 1; i < out.kind.size(); ++i) {
    out.parent[i] += shift;
  }
}

// Level by level: the rows of the new tree are the queue of those whose children are to come.
bool Grafter::rewrite_tree(const Template& replacement, const std::vector<Captured>& captured,
                           const std::uint32_t* layouts, std::uint32_t root, NewTable& out,
                           const Stop& stop) {
  queue_.clear();
  base_ = static_cast<std::uint32_t>(out.kind.size());
  push({root, kNone}, kNone, out);
  for (std::size_t next = 0; next < queue_.size(); ++next) {
    if (next % kPoll == 0 && stop && stop()) {
      return false;
    }
    emit(replacement, captured, layouts, resolve(replacement, captured, queue_[next]), out);
  }
  return true;
}

void Grafter::push(Entry entry, std::uint32_t parent, NewTable& out) {
  if (base_ + queue_.size() >= kMostNodes) {
    throw std::invalid_argument(
        "template: repeats its placeholders so often that 2^31 nodes would not hold the result");
  }
  queue_.push_back(entry);
  out.parent.push_back(parent);
}

// What stands for a row: itself, or the template, or what a placeholder stands for that is all of
// the template. The last leads further down each time, so this ends.
Grafter::Entry Grafter::resolve(const Template& replacement, const std::vector<Captured>& captured,
                                Entry entry) const {
  while (entry.hit == kNone && hit_of_[entry.node] != kNone) {
    const std::uint32_t hit = hit_of_[entry.node];
    if ((replacement.root & kSlot) == 0) {
      return {replacement.root, hit};
    }
    const std::uint32_t slot = replacement.root & ~kSlot;
    entry.node = captured[std::size_t{hit} * replacement.slots + slot].first;
  }
  return entry;
}

void Grafter::emit(const Template& replacement, const std::vector<Captured>& captured,
                   const std::uint32_t* layouts, Entry entry, NewTable& out) {
  const auto row = static_cast<std::uint32_t>(out.kind.size());
  const auto first_child = static_cast<std::uint32_t>(base_ + queue_.size());
  if (entry.hit == kNone) {
    out.kind.push_back(nodes_.kind[entry.node]);
    out.value.push_back(nodes_.value[entry.node]);
    out.layout.push_back(nodes_.layout[entry.node]);
    for (std::uint32_t i = 0; i < nodes_.count[entry.node]; ++i) {
      push({nodes_.first_child[entry.node] + i, kNone}, row, out);
    }
  } else {
    const TemplateNode& node = replacement.nodes[entry.node];
    const Captured* const slots = captured.data() + std::size_t{entry.hit} * replacement.slots;
    out.kind.push_back(node.kind);
    out.value.push_back(node.value_slot == kNone ? node.value : slots[node.value_slot].first);
    out.layout.push_back(
        node.open_layout == kNone
            ? node.layout
            : layouts[std::size_t{entry.hit} * replacement.open_layouts + node.open_layout]);
    for (std::uint32_t i = 0; i < node.count; ++i) {
      const std::uint32_t child = replacement.children[node.first + i];
      if ((child & kSlot) == 0) {
        push({child, entry.hit}, row, out);
        continue;
      }
      const Captured& rows = slots[child & ~kSlot];
      for (std::uint32_t j = 0; j < rows.count; ++j) {
        push({rows.first + j, kNone}, row, out);
      }
    }
  }
  out.first_child.push_back(first_child);
  out.count.push_back(static_cast<std::uint32_t>(base_ + queue_.size()) - first_child);
}

}  // namespace stratoperf::synthesis
