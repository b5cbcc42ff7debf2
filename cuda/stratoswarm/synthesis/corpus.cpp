#include "cuda/stratoswarm/synthesis/corpus.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "cuda/device/error.hpp"
#include "stratoswarm/synthesis/requirements.hpp"

namespace stratoperf::cuda::synthesis {
namespace {

using stratoperf::synthesis::PatternNode;

// How many nodes there are to compare; throws where they cannot be.
std::uint32_t checked_size(const Nodes& nodes, const Patterns& patterns) {
  if (nodes.size == 0 || patterns.size == 0) {
    throw std::invalid_argument(nodes.size == 0
                                    ? "table: must not be empty; give one with at least one node"
                                    : "patterns: must not be empty; give at least one pattern");
  }
  stratoperf::synthesis::require_search(nodes, patterns);
  return nodes.size;
}

void to_device(void* to, const void* from, std::size_t bytes, const Stream& stream) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream.get()),
        "cudaMemcpyAsync to the device", bytes);
}

// Up to the end of the last cell: what is read is always there.
std::size_t whole_cells(std::uint32_t nodes) {
  return (std::size_t{nodes} + kCellNodes - 1) / kCellNodes * kCellNodes;
}

}  // namespace

Corpus::Corpus(const Nodes& nodes, const Patterns& patterns, DeviceId device)
    : device_(device), size_(checked_size(nodes, patterns)) {
  const Shapes shapes(nodes);
  keys_.reserve(patterns.size);
  for (std::uint32_t pattern = 0; pattern < patterns.size; ++pattern) {
    const PatternNode& first = patterns.nodes[patterns.begin[pattern]];
    const std::uint32_t size = patterns.begin[pattern + 1] - patterns.begin[pattern];
    const bool goes_on = size > 1 || first.layout != kAny;
    keys_.push_back(shapes.key(first.fields, pattern, goes_on));
    goes_on_ = goes_on_ || goes_on;
  }
  const Stream stream(device);
  const CurrentDevice current(device);
  copy_table(nodes, shapes, stream);
  patterns_.size = patterns.size;
  if (goes_on_) {
    copy_patterns(patterns, stream);
  }
  stream.synchronize();
}

void Corpus::describe(Search& search) const {
  search.shapes = shapes_;
  search.values = nodes_.value;
  search.size = size_;
  search.nodes = nodes_;
  search.patterns = patterns_;
}

// The columns that only patterns that go on read are left out where there are none.
void Corpus::copy_table(const Nodes& nodes, const Shapes& shapes, const Stream& stream) {
  struct Column {
    const std::uint32_t* from;
    const std::uint32_t** to;
  };
  std::vector<std::uint32_t> shape(nodes.size);
  for (std::uint32_t row = 0; row < nodes.size; ++row) {
    shape[row] = shapes.shape(nodes.kind[row], nodes.count[row]);
  }
  std::vector<Column> columns = {{shape.data(), &shapes_}, {nodes.value, &nodes_.value}};
  if (goes_on_) {
    columns.insert(columns.end(), {{nodes.kind, &nodes_.kind},
                                   {nodes.count, &nodes_.count},
                                   {nodes.first_child, &nodes_.first_child},
                                   {nodes.layout, &nodes_.layout}});
    if (nodes.subtree != nullptr) {
      columns.push_back({nodes.subtree, &nodes_.subtree});
    }
  }
  const std::size_t stride = whole_cells(nodes.size);
  columns_ = DeviceMemory(device_, columns.size() * stride * sizeof(std::uint32_t));
  columns_.clear(stream);
  auto* place = columns_.data<std::uint32_t>();
  for (const Column& column : columns) {
    to_device(place, column.from, nodes.size * sizeof(std::uint32_t), stream);
    *column.to = place;
    place += stride;
  }
  nodes_.size = nodes.size;
  stream.synchronize();  // before the shapes on the host go
}

void Corpus::copy_patterns(const Patterns& patterns, const Stream& stream) {
  const std::size_t node_bytes = patterns.begin[patterns.size] * sizeof(PatternNode);
  const std::size_t begin_bytes = (std::size_t{patterns.size} + 1) * sizeof(std::uint32_t);
  std::size_t sets = 0;  // that patterns name
  for (std::uint32_t i = 0; i < patterns.begin[patterns.size]; ++i) {
    const std::uint32_t layout = patterns.nodes[i].layout;
    if (layout != kAny && layout != kAbsent && (layout & stratoperf::synthesis::kLayoutSet) != 0) {
      sets = std::max<std::size_t>(sets, (layout & ~stratoperf::synthesis::kLayoutSet) + 1);
    }
  }
  const std::size_t set_bytes = sets * patterns.layout_words * sizeof(std::uint32_t);
  pattern_nodes_ = DeviceMemory(device_, node_bytes + begin_bytes + set_bytes);
  unsigned char* const place = pattern_nodes_.data();
  to_device(place, patterns.nodes, node_bytes, stream);
  to_device(place + node_bytes, patterns.begin, begin_bytes, stream);
  if (set_bytes > 0) {
    to_device(place + node_bytes + begin_bytes, patterns.layout_sets, set_bytes, stream);
  }
  patterns_.nodes = reinterpret_cast<const PatternNode*>(place);
  patterns_.begin = reinterpret_cast<const std::uint32_t*>(place + node_bytes);
  patterns_.layout_sets = reinterpret_cast<const std::uint32_t*>(place + node_bytes + begin_bytes);
  patterns_.layout_words = patterns.layout_words;
}

}  // namespace stratoperf::cuda::synthesis
