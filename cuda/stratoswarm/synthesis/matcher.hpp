// All hits of many patterns in a table of nodes, on a device.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "cuda/device/device.hpp"
#include "cuda/device/event.hpp"
#include "cuda/device/graph.hpp"
#include "cuda/device/memory.hpp"
#include "cuda/device/stream.hpp"
#include "cuda/stratoswarm/synthesis/corpus.hpp"
#include "cuda/stratoswarm/synthesis/plan.hpp"
#include "stratoswarm/synthesis/matcher.hpp"

namespace stratoperf::cuda::synthesis {

using stratoperf::synthesis::Hits;
using stratoperf::synthesis::Stop;

struct Settings {
  std::uint64_t max_hits = 0;                       // more than this are an error
  std::uint64_t capacity = std::uint64_t{1} << 16;  // hits that there is room for at first
  bool resident = false;  // the hits stay in device memory until they are read
  Limits limits = {};
};

// The twin of stratoperf::synthesis::Matcher: the same hits and comparisons, in the same order.
// Keeps its memory from match to match. For one thread at a time.
class Matcher {
 public:
  // Throws Unavailable when there is no device, OutOfMemory.
  Matcher(std::shared_ptr<const Corpus> corpus, const Settings& settings);

  // Compares all; the hits lie in order in page-locked memory then, or in device memory. `stop`, if
  // there is one, is polled for every pass; once it returns true there are no hits and the result
  // is false. Throws std::invalid_argument for more than max_hits hits; std::runtime_error when
  // another thread is in this function; OutOfMemory when the hits do not fit, and what was found
  // before is lost; Unavailable in a forked process; Error when the device or a kernel fails.
  bool match(const Stop& stop = {});

  // The same, and copies what was found before another thread can match.
  bool find(Hits& hits, const Stop& stop = {});

  // The same as match, timed by the device: how many nanoseconds it took go to `device_ns`.
  bool match_timed(const Stop& stop, double& device_ns);

  // Copies what was found last, by a match that was complete. Throws Error when the device fails.
  void read(Hits& hits) const;

  const std::shared_ptr<const Corpus>& corpus() const { return corpus_; }
  const Settings& settings() const { return settings_; }
  const Plan& plan() const { return plan_; }
  unsigned blocks() const { return blocks_for(plan_, plan_.pass_patterns, facts_); }

 private:
  // Around the work in the stream.
  struct Events {
    Event first;
    Event last;
  };

  void copy_keys();
  void grow(std::uint64_t hits);
  bool run(const Stop& stop, Events* events);
  bool attempt(const Stop& stop, Events* events);
  void record_graphs();
  void enqueue(const Pass& pass) const;
  Pass pass(std::uint32_t number) const;
  Search search() const;
  std::uint64_t numbers_bytes() const;
  std::uint64_t sums_bytes() const;
  const Header& header() const { return *numbers_.host<Header>(); }

  std::shared_ptr<const Corpus> corpus_;
  Settings settings_;
  DeviceFacts facts_;
  Plan plan_;
  Stream stream_;
  std::vector<std::uint32_t> with_value_ = {};  // keys of each pass that compare the value
  DeviceMemory keys_ = {};
  DeviceMemory state_;  // comparisons, hits of the passes; sums; counts
  DeviceMemory bits_;
  DeviceMemory begin_;
  PinnedMemory numbers_;  // what a Delivery has but for the rows
  std::uint64_t capacity_ = 0;
  DeviceMemory rows_ = {};
  PinnedMemory delivered_ = {};
  std::vector<std::unique_ptr<Graph>> graphs_ = {};  // of each pass
  Event passed_[2];
  std::unique_ptr<Events> events_ = nullptr;
  std::atomic<bool> busy_ = false;
};

}  // namespace stratoperf::cuda::synthesis
