// All hits of many patterns in a table of nodes, on the CPU.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/thread_team.hpp"
#include "stratoswarm/synthesis/kernels.hpp"
#include "stratoswarm/synthesis/row_buffer.hpp"
#include "stratoswarm/synthesis/rules.hpp"
#include "stratoswarm/synthesis/steps.hpp"

namespace stratoperf::synthesis {

// Where each pattern matches.
struct Hits {
  std::vector<std::uint64_t> begin = {0};  // the hits of pattern p: begin[p] to begin[p + 1]
  RowBuffer rows = {};                     // ascending for each pattern
  std::uint64_t comparisons = 0;           // evaluated: operations
  std::uint64_t avoided = 0;  // first comparisons that the index of types made needless

  std::uint64_t size() const { return begin.back(); }
};

struct MatchParameters {
  unsigned threads = 1;        // the most that the nodes are spread over
  bool by_kind = false;        // compare a pattern only with nodes of its type
  std::uint64_t max_hits = 0;  // more than this are an error, before they fill the memory
  InstructionSet instructions = {};
};

// Keeps its buffers from match to match. The nodes and patterns are not copied and must outlive
// it. For one thread at a time.
class Matcher {
 public:
  // Throws std::invalid_argument for parameters or patterns that make no sense, std::bad_alloc.
  Matcher(const Nodes& nodes, const Patterns& patterns, const MatchParameters& parameters);

  // Compares all. `stop`, if there is one, is polled for every tile; once it returns true the hits
  // are undefined and the result is false. Throws std::invalid_argument for more than max_hits
  // hits and std::runtime_error when another thread is in this function.
  bool match(Hits& hits, const Stop& stop = {});

  const MatchParameters& parameters() const { return parameters_; }
  const Nodes& nodes() const { return nodes_; }
  const Patterns& patterns() const { return patterns_; }

 private:
  // Patterns that compare the same fields with the same nodes.
  struct Group {
    std::uint32_t fields = 0;  // which: kKindField and so on
    bool by_kind = false;      // nodes in the order of sorted_, not of the table
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::vector<Fields> wanted = {};
    std::vector<std::uint32_t> pattern = {};
  };
  // Hits of one pattern in one tile.
  struct Run {
    std::uint32_t pattern;
    std::uint32_t size;
  };
  // What one thread found, in the order in which it found it. On lines of its own: each thread
  // writes its share all the time.
  struct alignas(128) Share {
    RowBuffer rows = {};
    std::uint64_t size = 0;
    std::vector<Run> runs = {};
    std::vector<std::uint64_t> next = {};  // for each pattern: its hits, then where they go
    std::vector<std::uint64_t> bits = {};
    std::uint64_t comparisons = 0;
  };

  void sort_by_kind();
  void make_groups();
  void scan_share(Share& share, unsigned member, unsigned members, const Stop& stop);
  void scan_tile(Share& share, const Group& group, std::uint32_t first, std::uint32_t last);
  void compare_chunk(Share& share, const Group& group, std::uint32_t at, std::uint32_t size,
                     std::uint32_t first, std::uint32_t count) const;
  void keep_hits(Share& share, const Group& group, std::uint32_t pattern, const std::uint64_t* bits,
                 std::uint32_t first, std::uint32_t count);
  void place_hits(unsigned members, Hits& hits);
  void copy_share(Share& share, const Hits& hits) const;
  bool poll(const Stop& stop);
  template <typename Task>
  void on_members(unsigned members, Task&& task);

  Nodes nodes_;
  Patterns patterns_;
  MatchParameters parameters_;
  std::vector<std::uint32_t> sorted_[3] = {};  // by type: kind, value, count
  std::vector<std::uint32_t> rows_ = {};       // by type: the row of each
  std::vector<std::uint32_t> kind_begin_ = {};
  std::vector<Group> groups_ = {};
  std::vector<std::uint8_t> goes_on_ = {};  // for each pattern: whether one comparison is not all
  std::uint64_t first_comparisons_ = 0;
  std::vector<Share> shares_ = {};
  std::atomic<std::uint64_t> found_ = 0;
  std::unique_ptr<ThreadTeam> team_ = nullptr;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> busy_ = false;
};

}  // namespace stratoperf::synthesis
