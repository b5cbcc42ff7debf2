#include "stratoswarm/synthesis/matcher.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "stratoswarm/synthesis/requirements.hpp"

namespace stratoperf::synthesis {
namespace {

// Below this many comparisons a thread costs more to wake (some 10 us) than it saves.
constexpr std::uint64_t kComparisonsPerThread = std::uint64_t{1} << 20;

// Hits after which a thread adds to the number that all read: a line that moved between cores for
// every tile would cost a few percent.
constexpr std::uint64_t kReport = std::uint64_t{1} << 16;

std::uint32_t compared_fields(const Fields& fields) {
  return (fields.kind != kAny ? kKindField : 0) | (fields.value != kAny ? kValueField : 0) |
         (fields.count != kAny ? kCountField : 0);
}

}  // namespace

Matcher::Matcher(const Nodes& nodes, const Patterns& patterns, const MatchParameters& parameters)
    : nodes_(nodes), patterns_(patterns), parameters_(parameters) {
  if (parameters_.threads == 0) {
    throw std::invalid_argument("threads: must be at least 1, got 0");
  }
  require_search(nodes_, patterns_);
  if (parameters_.by_kind) {
    sort_by_kind();
  }
  make_groups();
  shares_.resize(parameters_.threads);
}

// Stable, so that hits stay in the order of the rows.
void Matcher::sort_by_kind() {
  std::uint32_t kinds = 0;
  for (std::uint32_t row = 0; row < nodes_.size; ++row) {
    kinds = std::max(kinds, nodes_.kind[row] + 1);
  }
  kind_begin_.assign(kinds + 1, 0);
  for (std::uint32_t row = 0; row < nodes_.size; ++row) {
    ++kind_begin_[nodes_.kind[row] + 1];
  }
  std::partial_sum(kind_begin_.begin(), kind_begin_.end(), kind_begin_.begin());
  std::vector<std::uint32_t> next(kind_begin_.begin(), kind_begin_.end() - 1);
  rows_.resize(nodes_.size);
  for (std::uint32_t row = 0; row < nodes_.size; ++row) {
    rows_[next[nodes_.kind[row]]++] = row;
  }
  const std::uint32_t* const columns[] = {nodes_.kind, nodes_.value, nodes_.count};
  for (int i = 0; i < 3; ++i) {
    sorted_[i].resize(nodes_.size);
    std::ranges::transform(rows_, sorted_[i].begin(),
                           [&](std::uint32_t row) { return columns[i][row]; });
  }
}

void Matcher::make_groups() {
  std::map<std::tuple<std::uint32_t, bool, std::uint32_t, std::uint32_t>, std::uint32_t> numbers;
  goes_on_.resize(patterns_.size);
  for (std::uint32_t pattern = 0; pattern < patterns_.size; ++pattern) {
    const PatternNode& root = patterns_.nodes[patterns_.begin[pattern]];
    const std::uint32_t size = patterns_.begin[pattern + 1] - patterns_.begin[pattern];
    goes_on_[pattern] = size > 1 || root.layout != kAny;
    std::uint32_t first = 0;
    std::uint32_t last = nodes_.size;
    const bool by_kind = parameters_.by_kind && root.fields.kind != kAny;
    if (by_kind) {
      const bool known = root.fields.kind + 1 < kind_begin_.size();
      first = known ? kind_begin_[root.fields.kind] : 0;
      last = known ? kind_begin_[root.fields.kind + 1] : 0;
    }
    const std::uint32_t fields = compared_fields(root.fields);
    const auto next = static_cast<std::uint32_t>(groups_.size());
    const auto [found, is_new] = numbers.try_emplace({fields, by_kind, first, last}, next);
    if (is_new) {
      groups_.push_back({fields, by_kind, first, last});
    }
    Group& group = groups_[found->second];
    group.wanted.push_back(root.fields);
    group.pattern.push_back(pattern);
    first_comparisons_ += last - first;
  }
}

bool Matcher::match(Hits& hits, const Stop& stop) {
  const Busy busy(busy_);
  stopped_.store(false, std::memory_order_relaxed);
  found_.store(0, std::memory_order_relaxed);
  const auto members = static_cast<unsigned>(std::clamp<std::uint64_t>(
      first_comparisons_ / kComparisonsPerThread, 1, parameters_.threads));
  on_members(members, [&](unsigned member) { scan_share(shares_[member], member, members, stop); });
  if (stopped_.load(std::memory_order_relaxed)) {
    return false;
  }
  require_hits(found_.load(std::memory_order_relaxed), parameters_.max_hits);
  place_hits(members, hits);
  return true;
}

// Calls task(member) on every member; a single one is this thread, and nothing is allocated.
template <typename Task>
void Matcher::on_members(unsigned members, Task&& task) {
  if (members == 1) {
    task(0u);
    return;
  }
  if (team_ == nullptr) {
    team_ = std::make_unique<ThreadTeam>(parameters_.threads);
  }
  team_->run([&](unsigned member) {
    if (member < members) {
      task(member);
    }
  });
}

bool Matcher::poll(const Stop& stop) {
  if (stop && stop()) {
    stopped_.store(true, std::memory_order_relaxed);
  }
  // Too many hits end the work of all members as well; `match` says so.
  return stopped_.load(std::memory_order_relaxed) ||
         found_.load(std::memory_order_relaxed) > parameters_.max_hits;
}

// Member after member takes later nodes of every group, so that hits stay in order.
void Matcher::scan_share(Share& share, unsigned member, unsigned members, const Stop& stop) {
  share.size = 0;
  share.comparisons = 0;
  share.runs.clear();
  share.next.assign(patterns_.size, 0);
  share.bits.resize(std::size_t{kChunk} * kTileWords);
  std::uint64_t reported = 0;
  for (const Group& group : groups_) {
    const std::uint64_t size = group.last - group.first;
    const auto first = group.first + static_cast<std::uint32_t>(size * member / members);
    const auto last = group.first + static_cast<std::uint32_t>(size * (member + 1) / members);
    for (std::uint64_t begin = first; begin < last; begin += kTile) {
      if (poll(stop)) {
        return;
      }
      scan_tile(share, group, static_cast<std::uint32_t>(begin),
                static_cast<std::uint32_t>(std::min<std::uint64_t>(begin + kTile, last)));
      if (share.size - reported >= kReport) {
        found_.fetch_add(share.size - reported, std::memory_order_relaxed);
        reported = share.size;
      }
    }
  }
  found_.fetch_add(share.size - reported, std::memory_order_relaxed);
}

void Matcher::scan_tile(Share& share, const Group& group, std::uint32_t first, std::uint32_t last) {
  const std::uint32_t count = last - first;
  const auto patterns = static_cast<std::uint32_t>(group.pattern.size());
  share.comparisons += std::uint64_t{count} * patterns;
  for (std::uint32_t at = 0; at < patterns; at += kChunk) {
    const std::uint32_t size = std::min(kChunk, patterns - at);
    compare_chunk(share, group, at, size, first, count);
    share.rows.reserve(share.size + std::uint64_t{size} * count + kSpareNodes);
    for (std::uint32_t i = 0; i < size; ++i) {
      keep_hits(share, group, group.pattern[at + i], &share.bits[std::size_t{i} * kTileWords],
                first, count);
    }
  }
}

void Matcher::compare_chunk(Share& share, const Group& group, std::uint32_t at, std::uint32_t size,
                            std::uint32_t first, std::uint32_t count) const {
  const Tile columns = group.by_kind ? Tile{sorted_[0].data(), sorted_[1].data(), sorted_[2].data()}
                                     : Tile{nodes_.kind, nodes_.value, nodes_.count};
  const Kernels::Scan scan = parameters_.instructions.kernels->scan[group.fields];
  const Fields* const wanted = &group.wanted[at];
  const std::uint32_t whole = count / 64;
  scan({columns.kind + first, columns.value + first, columns.count + first}, whole, wanted, size,
       share.bits.data());
  const std::uint32_t rest = count % 64;
  if (rest == 0) {
    return;
  }
  // The last ones are copied: loads of 64 would read behind the columns.
  std::uint32_t copies[3][64] = {};
  const std::uint32_t from = first + 64 * whole;
  std::memcpy(copies[0], columns.kind + from, rest * sizeof(std::uint32_t));
  std::memcpy(copies[1], columns.value + from, rest * sizeof(std::uint32_t));
  std::memcpy(copies[2], columns.count + from, rest * sizeof(std::uint32_t));
  scan({copies[0], copies[1], copies[2]}, 1, wanted, size, share.bits.data() + whole);
  for (std::uint32_t i = 0; i < size; ++i) {
    share.bits[std::size_t{i} * kTileWords + whole] &= (std::uint64_t{1} << rest) - 1;
  }
}

void Matcher::keep_hits(Share& share, const Group& group, std::uint32_t pattern,
                        const std::uint64_t* bits, std::uint32_t first, std::uint32_t count) {
  std::uint32_t* const begin = share.rows.data() + share.size;
  std::uint32_t* end =
      parameters_.instructions.kernels->compact(bits, (count + 63) / 64, first, begin);
  if (group.by_kind) {
    for (std::uint32_t* row = begin; row != end; ++row) {
      *row = rows_[*row];
    }
  }
  if (goes_on_[pattern] != 0) {
    std::uint32_t bound[kMostPatternNodes];
    std::uint64_t comparisons = 0;
    std::uint32_t* kept = begin;
    for (const std::uint32_t* row = begin; row != end; ++row) {
      *kept = *row;
      kept += match_below(nodes_, patterns_, pattern, *row, bound, comparisons) ? 1 : 0;
    }
    share.comparisons += comparisons;
    end = kept;
  }
  const auto size = static_cast<std::uint32_t>(end - begin);
  if (size > 0) {
    share.runs.push_back({pattern, size});
    share.next[pattern] += size;
    share.size += size;
  }
}

// Puts what the members found in the order of (pattern, row).
void Matcher::place_hits(unsigned members, Hits& hits) {
  hits.comparisons = 0;
  hits.begin.assign(std::size_t{patterns_.size} + 1, 0);
  for (unsigned member = 0; member < members; ++member) {
    hits.comparisons += shares_[member].comparisons;
  }
  hits.avoided = std::uint64_t{patterns_.size} * nodes_.size - first_comparisons_;
  std::uint64_t at = 0;
  for (std::uint32_t pattern = 0; pattern < patterns_.size; ++pattern) {
    for (unsigned member = 0; member < members; ++member) {
      const std::uint64_t size = shares_[member].next[pattern];
      shares_[member].next[pattern] = at;
      at += size;
    }
    hits.begin[pattern + 1] = at;
  }
  hits.rows.reserve(at);
  on_members(members, [&](unsigned member) { copy_share(shares_[member], hits); });
}

void Matcher::copy_share(Share& share, const Hits& hits) const {
  const std::uint32_t* from = share.rows.data();
  for (const Run& run : share.runs) {
    std::memcpy(hits.rows.data() + share.next[run.pattern], from, run.size * sizeof(std::uint32_t));
    share.next[run.pattern] += run.size;
    from += run.size;
  }
}

}  // namespace stratoperf::synthesis
