// Matching on the emulated device finds what matching on the CPU finds, in the same order.
#include <doctest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "cuda/stratoswarm/synthesis/match_operation.hpp"
#include "cuda/stratoswarm/synthesis/matcher.hpp"
#include "cuda_emulator/control.hpp"
#include "repetitions.hpp"
#include "synthesis_tables.hpp"

namespace cuda = stratoperf::cuda;
using cuda_emulator::Order;
using stratoperf::cuda::synthesis::blocks_for;
using stratoperf::cuda::synthesis::Corpus;
using stratoperf::cuda::synthesis::kCellNodes;
using stratoperf::cuda::synthesis::LastMatch;
using stratoperf::cuda::synthesis::MatchOperation;
using stratoperf::cuda::synthesis::plan_for;
using stratoperf::cuda::synthesis::Settings;
using namespace stratoperf::synthesis;

namespace {

constexpr std::pair<Order, std::uint64_t> kAllOrders[] = {
    {Order::ascending, 0}, {Order::random, 1}, {Order::descending, 0}, {Order::random, 2}};
constexpr std::span kOrders = std::span(kAllOrders).first(repetitions::kFew ? 2 : 4);

constexpr std::uint64_t kEnough = std::uint64_t{1} << 32;

Settings with_limits(std::uint32_t pass_cells, std::uint32_t keys) {
  return {.max_hits = kEnough, .limits = {.pass_cells = pass_cells, .keys = keys}};
}

Hits on_device(const Table& table, const PatternSet& set,
               const Settings& settings = {.max_hits = kEnough}) {
  cuda::synthesis::Matcher matcher(std::make_shared<const Corpus>(table.nodes(), set.patterns()),
                                   settings);
  Hits hits;
  for (int i = 0; i < 2; ++i) {  // what a match leaves behind would count in the next
    REQUIRE(matcher.find(hits));
  }
  return hits;
}

}  // namespace

TEST_CASE("a device matches as the CPU does, with patterns of any depth and in any order") {
  cuda_emulator::reset();
  for (const auto& [order, seed] : kOrders) {
    cuda_emulator::set_order(order, seed);
    for (const std::uint32_t most_nodes : {1u, 4u}) {
      for (const std::uint32_t size : {1u, 7u, 255u, 256u, 257u, 1100u}) {
        const Table table = random_table(size, size);
        const PatternSet set = random_patterns(21, most_nodes, size + most_nodes);
        check_equal(on_device(table, set), on_cpu(table, set));
      }
    }
  }
  CHECK(cuda_emulator::last_failure() == "");
}

TEST_CASE("tiles of keys and passes of patterns change nothing, in any order") {
  cuda_emulator::reset();
  const Table table = random_table(600, 5);
  for (const std::uint32_t most_nodes : {1u, 4u}) {
    const PatternSet set = random_patterns(40, most_nodes, 6);
    const Hits expected = on_cpu(table, set);
    for (const auto& [order, seed] : kOrders) {
      cuda_emulator::set_order(order, seed);
      for (const std::uint32_t pass_cells : {1u, 24u, 70u}) {
        for (const std::uint32_t keys : {1u, 7u, 64u}) {
          check_equal(on_device(table, set, with_limits(pass_cells, keys)), expected);
        }
      }
    }
  }
}

TEST_CASE("more patterns than a block has room for, and more cells than it places, are all found") {
  cuda_emulator::reset();
  const Table table = random_table(700, 1);
  const PatternSet set = random_patterns(2500, 2, 2);
  check_equal(on_device(table, set), on_cpu(table, set));
  const Table wide = random_table(20 * kCellNodes, 3);
  const PatternSet few = random_patterns(300, 1, 4);
  check_equal(on_device(wide, few), on_cpu(wide, few));
}

TEST_CASE("patterns that fit every node, or none, are all there") {
  cuda_emulator::reset();
  const Table table = random_table(1000, 8);
  PatternSet set;
  for (const std::uint32_t kind : {kAny, kAbsent, kAny, kKinds}) {
    set.nodes.push_back({{kind, kAny, kAny}, kNone, 0, kAny, kNone});
    set.begin.push_back(static_cast<std::uint32_t>(set.nodes.size()));
  }
  const Hits hits = on_device(table, set);
  check_equal(hits, on_cpu(table, set));
  CHECK(hits.size() == 2000);
}

TEST_CASE("a node of very many children has a number of its own") {
  cuda_emulator::reset();
  Table table = random_table(80'000, 1);
  table.count.assign(80'000, 0);
  table.count[0] = 70'000;
  table.first_child[0] = 1;
  PatternSet set;
  for (const std::uint32_t count : {70'000u, 0u, 69'999u, 4464u}) {  // the last modulo 2^16
    set.nodes.push_back({{kAny, kAny, count}, kNone, 0, kAny, kNone});
    set.begin.push_back(static_cast<std::uint32_t>(set.nodes.size()));
  }
  const Hits hits = on_device(table, set);
  CHECK(hits.begin == std::vector<std::uint64_t>{0, 1, 80'000, 80'000, 80'000});
  check_equal(hits, on_cpu(table, set));
}

TEST_CASE("room for hits grows as they need it, and what was found is right at once") {
  cuda_emulator::reset();
  const Table table = random_table(2000, 9);
  const PatternSet set = random_patterns(30, 1, 10);
  for (const std::uint64_t capacity : {0u, 1u, 5u, 100'000u}) {
    const Settings settings = {.max_hits = kEnough, .capacity = capacity};
    check_equal(on_device(table, set, settings), on_cpu(table, set));
  }
}

TEST_CASE("hits that stay in device memory are the same") {
  cuda_emulator::reset();
  const Table table = random_table(800, 13);
  const PatternSet set = random_patterns(15, 2, 14);
  for (const std::uint64_t capacity : {0u, 100'000u}) {
    const Settings settings = {.max_hits = kEnough, .capacity = capacity, .resident = true};
    check_equal(on_device(table, set, settings), on_cpu(table, set));
  }
}

TEST_CASE("an operation matches, and counts by the device's clock") {
  cuda_emulator::reset();
  const Table table = random_table(900, 11);
  const PatternSet set = random_patterns(17, 3, 12);
  auto last = std::make_shared<LastMatch>(
      std::make_shared<const Corpus>(table.nodes(), set.patterns()), with_limits(20, 3));
  MatchOperation operation(last);
  CHECK(!last->complete);
  operation.run(2);
  CHECK(last->complete);
  CHECK(operation.has_device_time());
  CHECK(operation.device_time(2) > 0);
  Hits hits;
  last->matcher.read(hits);
  check_equal(hits, on_cpu(table, set));
}

TEST_CASE("large tables fill a device with all patterns in a tile, small ones with fewer") {
  cuda::DeviceFacts facts = {};
  facts.multiprocessors = 132;
  const auto plan = [&](std::uint32_t nodes, std::uint32_t patterns) {
    return plan_for(nodes, patterns, {}, facts);
  };
  CHECK(plan(16'000'000, 64).tile == 64);
  CHECK(plan(2'000'000, 5000).tile == cuda::synthesis::kMostKeys);
  CHECK(plan(65'536, 64).tile == 8);
  CHECK(plan(65'536, 64).passes == 1);
  CHECK(plan((1u << 31) - 1, 3).passes == 3);
  CHECK(plan((1u << 31) - 1, 3).pass_patterns == 1);
  // Whole tiles, and no more blocks than there is work for.
  CHECK(blocks_for(plan(65'536, 64), 64, facts) == 8 * 32);
  CHECK(blocks_for(plan(100, 3), 3, facts) == 1);
  CHECK(blocks_for(plan(64'000'000, 4), 4, facts) == 8 * 6 * 132);
}
