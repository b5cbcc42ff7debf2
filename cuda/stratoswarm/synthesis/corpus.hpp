// A table and patterns in the memory of a device.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/device/memory.hpp"
#include "cuda/device/stream.hpp"
#include "cuda/stratoswarm/synthesis/cells.hpp"
#include "cuda/stratoswarm/synthesis/shapes.hpp"

namespace stratoperf::cuda::synthesis {

// Copied once, and then only read: by any number of matchers.
class Corpus {
 public:
  // Throws std::invalid_argument for an empty table, no patterns, or what require_search and Shapes
  // refuse; Unavailable when there is no device; OutOfMemory.
  Corpus(const Nodes& nodes, const Patterns& patterns, DeviceId device = {});

  DeviceId device() const { return device_; }
  std::uint32_t nodes() const { return size_; }
  std::uint32_t patterns() const { return static_cast<std::uint32_t>(keys_.size()); }
  // Of each pattern, in their order.
  const std::vector<Key>& keys() const { return keys_; }
  // Whether a match of any pattern takes more than one comparison.
  bool goes_on() const { return goes_on_; }

  // Sets what a search reads.
  void describe(Search& search) const;

 private:
  void copy_table(const Nodes& nodes, const Shapes& shapes, const Stream& stream);
  void copy_patterns(const Patterns& patterns, const Stream& stream);

  DeviceId device_;
  std::uint32_t size_;
  bool goes_on_ = false;
  std::vector<Key> keys_ = {};
  DeviceMemory columns_ = {};
  DeviceMemory pattern_nodes_ = {};
  Nodes nodes_ = {};  // on the device, with the columns that there are
  Patterns patterns_ = {};
  const std::uint32_t* shapes_ = nullptr;
};

}  // namespace stratoperf::cuda::synthesis
