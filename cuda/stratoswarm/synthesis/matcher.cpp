#include "cuda/stratoswarm/synthesis/matcher.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cuda/device/error.hpp"
#include "cuda/stratoswarm/synthesis/kernels.hpp"
#include "stratoswarm/synthesis/requirements.hpp"

namespace stratoperf::cuda::synthesis {
namespace {

// As wide as the device's caches fetch.
constexpr std::uint64_t kLine = 128;

constexpr std::uint64_t whole(std::uint64_t number, std::uint64_t unit) {
  return (number + unit - 1) / unit * unit;
}

std::uint64_t cells_of(const Plan& plan) { return std::uint64_t{plan.row} * plan.pass_patterns; }

// Up to the end of the cells that the last block places.
std::uint64_t counts_bytes(std::uint64_t cells) {
  return whole(cells, kPlacedCells) * sizeof(std::uint32_t);
}

}  // namespace

Matcher::Matcher(std::shared_ptr<const Corpus> corpus, const Settings& settings)
    : corpus_(std::move(corpus)),
      settings_(settings),
      facts_(facts(corpus_->device())),
      plan_(plan_for(corpus_->nodes(), corpus_->patterns(), settings.limits, facts_)),
      stream_(corpus_->device()),
      state_(corpus_->device(), numbers_bytes() + sums_bytes() + counts_bytes(cells_of(plan_))),
      bits_(corpus_->device(), cells_of(plan_) * kCellBytes),
      begin_(corpus_->device(), corpus_->patterns() * sizeof(std::uint64_t)),
      numbers_(corpus_->device(),
               sizeof(Header) + (std::uint64_t{corpus_->patterns()} + 1) * sizeof(std::uint64_t)) {
  const CurrentDevice current(stream_.device());
  copy_keys();
  grow(0);
}

bool Matcher::match(const Stop& stop) {
  const stratoperf::synthesis::Busy busy(busy_);
  return run(stop, nullptr);
}

bool Matcher::find(Hits& hits, const Stop& stop) {
  const stratoperf::synthesis::Busy busy(busy_);
  if (!run(stop, nullptr)) {
    return false;
  }
  read(hits);
  return true;
}

bool Matcher::match_timed(const Stop& stop, double& device_ns) {
  const stratoperf::synthesis::Busy busy(busy_);
  const CurrentDevice current(stream_.device());
  if (events_ == nullptr) {
    events_ = std::make_unique<Events>();
  }
  if (!run(stop, events_.get())) {
    return false;
  }
  device_ns = Event::elapsed_ns(events_->first, events_->last);
  return true;
}

void Matcher::read(Hits& hits) const {
  const auto* const begin =
      reinterpret_cast<const std::uint64_t*>(numbers_.host() + sizeof(Header));
  const std::uint64_t patterns = corpus_->patterns();
  hits.begin.assign(begin, begin + patterns + 1);
  hits.rows.reserve(hits.size());
  const std::size_t bytes = hits.size() * sizeof(std::uint32_t);
  if (bytes > 0 && settings_.resident) {
    const CurrentDevice current(stream_.device());
    check(cudaMemcpyAsync(hits.rows.data(), rows_.data(), bytes, cudaMemcpyDeviceToHost,
                          stream_.get()),
          "cudaMemcpyAsync from the device", bytes);
    stream_.synchronize();
  } else if (bytes > 0) {
    std::memcpy(hits.rows.data(), delivered_.host(), bytes);
  }
  hits.comparisons = patterns * corpus_->nodes() + header().comparisons;
  hits.avoided = 0;
}

// The keys of each pass, those that compare the value first.
void Matcher::copy_keys() {
  std::vector<Key> keys = corpus_->keys();
  for (std::uint32_t number = 0; number < plan_.passes; ++number) {
    const std::size_t first = std::size_t{number} * plan_.pass_patterns;
    const std::size_t last = std::min(first + plan_.pass_patterns, keys.size());
    const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(first);
    const auto middle =
        std::stable_partition(begin, keys.begin() + static_cast<std::ptrdiff_t>(last),
                              [](const Key& key) { return key.value != kAny; });
    with_value_.push_back(static_cast<std::uint32_t>(middle - begin));
  }
  const std::size_t bytes = keys.size() * sizeof(Key);
  keys_ = DeviceMemory(stream_.device(), bytes);
  check(cudaMemcpyAsync(keys_.data(), keys.data(), bytes, cudaMemcpyHostToDevice, stream_.get()),
        "cudaMemcpyAsync to the device", bytes);
  stream_.synchronize();
}

// Makes room for so many hits, and some more, so that a few more do not need it again.
void Matcher::grow(std::uint64_t hits) {
  const std::uint64_t wanted = std::max(hits + hits / 8, settings_.capacity);
  const std::uint64_t capacity = std::min(wanted, settings_.max_hits);
  // Rows are copied four at a time.
  const std::uint64_t bytes =
      std::max(whole(capacity, 4), std::uint64_t{4}) * sizeof(std::uint32_t);
  DeviceMemory rows(stream_.device(), bytes);
  PinnedMemory delivered;
  if (!settings_.resident) {
    delivered = PinnedMemory(stream_.device(), bytes);
  }
  rows_ = std::move(rows);
  delivered_ = std::move(delivered);
  capacity_ = capacity;
  graphs_.clear();
}

// Again, where the hits need more room.
bool Matcher::run(const Stop& stop, Events* events) {
  const CurrentDevice current(stream_.device());
  if (!attempt(stop, events)) {
    return false;
  }
  if (header().hits <= capacity_) {
    return true;
  }
  stratoperf::synthesis::require_hits(header().hits, settings_.max_hits);
  grow(header().hits);
  return attempt(stop, events);
}

// At most two passes are in flight, so that one can end early, and the device does not wait.
bool Matcher::attempt(const Stop& stop, Events* events) {
  record_graphs();
  if (events != nullptr) {
    events->first.record(stream_);
  }
  for (std::uint32_t number = 0; number < plan_.passes; ++number) {
    Event& passed = passed_[number % 2];
    if (number >= 2) {
      passed.synchronize();
    }
    if (stop && stop()) {
      stream_.synchronize();
      return false;
    }
    graphs_[number]->launch(stream_);
    if (plan_.passes > 2) {
      passed.record(stream_);
    }
  }
  if (events != nullptr) {
    events->last.record(stream_);
  }
  stream_.synchronize();
  return true;
}

void Matcher::record_graphs() {
  if (graphs_.empty()) {
    load_compare();
    load_place();
  }
  for (auto number = static_cast<std::uint32_t>(graphs_.size()); number < plan_.passes; ++number) {
    graphs_.push_back(std::make_unique<Graph>(stream_, [this, number] { enqueue(pass(number)); }));
  }
}

void Matcher::enqueue(const Pass& pass) const {
  // The numbers lie before the sums: only the first pass begins with zeros.
  const std::uint64_t kept = pass.number == 0 ? 0 : numbers_bytes();
  const std::uint64_t cleared =
      numbers_bytes() + sums_bytes() + counts_bytes(std::uint64_t{plan_.row} * pass.size) - kept;
  check(cudaMemsetAsync(state_.data() + kept, 0, cleared, stream_.get()), "cudaMemsetAsync",
        cleared);
  const Search all = search();
  launch_compare(all, pass, corpus_->goes_on(), blocks_for(plan_, pass.size, facts_), stream_);
  launch_place(all, pass, stream_);
  if (pass.number + 1 == plan_.passes) {
    // One block for each multiprocessor has more in flight than the bus.
    const std::uint64_t useful = whole(capacity_, 4 * kThreads) / (4 * kThreads);
    const auto blocks = static_cast<unsigned>(
        std::clamp<std::uint64_t>(useful, 1, static_cast<std::uint64_t>(facts_.multiprocessors)));
    auto* const begin = reinterpret_cast<std::uint64_t*>(numbers_.device() + sizeof(Header));
    launch_deliver(all, {numbers_.device<Header>(), begin, delivered_.device<std::uint32_t>()},
                   plan_.passes, blocks, stream_);
  }
}

Pass Matcher::pass(std::uint32_t number) const {
  Pass pass = {};
  pass.first = number * plan_.pass_patterns;
  pass.keys = keys_.data<Key>() + pass.first;
  pass.size = std::min(plan_.pass_patterns, corpus_->patterns() - pass.first);
  pass.with_value = with_value_[number];
  pass.number = number;
  pass.tile = plan_.tile;
  pass.tiles = (pass.size + plan_.tile - 1) / plan_.tile;
  return pass;
}

Search Matcher::search() const {
  Search search = {};
  corpus_->describe(search);
  search.row = plan_.row;
  search.comparisons = state_.data<std::uint64_t>();
  search.hits = search.comparisons + 1;
  search.sums = reinterpret_cast<std::uint32_t*>(state_.data() + numbers_bytes());
  search.counts = reinterpret_cast<std::uint32_t*>(state_.data() + numbers_bytes() + sums_bytes());
  search.bits = bits_.data();
  search.begin = begin_.data<std::uint64_t>();
  search.rows = rows_.data<std::uint32_t>();
  search.capacity = capacity_;
  return search;
}

// The comparisons, and the hits before each pass and at the end.
std::uint64_t Matcher::numbers_bytes() const {
  return whole((std::uint64_t{plan_.passes} + 2) * sizeof(std::uint64_t), kLine);
}

std::uint64_t Matcher::sums_bytes() const {
  return whole(counts_bytes(cells_of(plan_)) / kPlacedCells, kLine);
}

}  // namespace stratoperf::cuda::synthesis
