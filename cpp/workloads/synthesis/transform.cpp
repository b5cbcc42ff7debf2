#include "workloads/synthesis/transform.hpp"

#include <algorithm>
#include <stdexcept>

namespace stratoperf::synthesis {
namespace {

constexpr std::size_t kMostNodes = std::size_t{1} << 31;

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
  }
  queue_.clear();
  std::uint32_t next = 0;
  for (std::uint32_t row = 0; row < nodes_.size; ++row) {
    if (parent_[row] != kNone) {
      continue;
    }
    // Level by level: the rows of the new table are the queue of those whose children are to come.
    push({row, kNone}, kNone, out);
    for (; next < queue_.size(); ++next) {
      if (next % kPoll == 0 && stop && stop()) {
        return false;
      }
      emit(replacement, captured, layouts, resolve(replacement, captured, queue_[next]), out);
    }
  }
  return true;
}

void Grafter::push(Entry entry, std::uint32_t parent, NewTable& out) {
  if (queue_.size() >= kMostNodes) {
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
  const auto first_child = static_cast<std::uint32_t>(queue_.size());
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
  out.count.push_back(static_cast<std::uint32_t>(queue_.size()) - first_child);
}

}  // namespace stratoperf::synthesis
