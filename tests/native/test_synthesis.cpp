#include <doctest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "core/operation.hpp"
#include "stratoswarm/synthesis/match_step.hpp"
#include "stratoswarm/synthesis/matcher.hpp"
#include "stratoswarm/synthesis/steps.hpp"
#include "stratoswarm/synthesis/subtrees.hpp"
#include "synthesis_tables.hpp"

using namespace stratoperf;
using namespace stratoperf::synthesis;

namespace {

// What the rules say, node by node.
std::vector<std::uint32_t> plain_hits(const Nodes& nodes, const Patterns& patterns,
                                      std::uint32_t pattern, std::uint64_t& comparisons) {
  std::vector<std::uint32_t> rows;
  std::uint32_t bound[kMostPatternNodes];
  for (std::uint32_t row = 0; row < nodes.size; ++row) {
    ++comparisons;
    if (compare(patterns.nodes[patterns.begin[pattern]].fields, nodes.kind[row], nodes.value[row],
                nodes.count[row]) &&
        match_below(nodes, patterns, pattern, row, bound, comparisons)) {
      rows.push_back(row);
    }
  }
  return rows;
}

std::vector<std::uint32_t> hits_of(const Hits& hits, std::uint32_t pattern) {
  return {hits.rows.data() + hits.begin[pattern], hits.rows.data() + hits.begin[pattern + 1]};
}

MatchParameters parameters_for(const InstructionSet& set, unsigned threads = 1,
                               bool by_kind = false) {
  return {threads, by_kind, std::uint64_t{1} << 40, set};
}

std::unique_ptr<Step> step_of(std::function<void(const Stop&)> work) {
  class Calling final : public Step {
   public:
    explicit Calling(std::function<void(const Stop&)> call) : call_(std::move(call)) {}
    void run(const Stop& stop) override { call_(stop); }

   private:
    std::function<void(const Stop&)> call_;
  };
  return std::make_unique<Calling>(std::move(work));
}

}  // namespace

TEST_CASE("every instruction set, mode and number of threads finds what the rules say") {
  for (const std::uint32_t size : {1u, 63u, 64u, 65u, 500u, 2048u, 5001u}) {
    const Table table = random_table(size, size);
    const PatternSet set = random_patterns(130, 4, size);
    std::vector<std::vector<std::uint32_t>> expected;
    std::uint64_t comparisons = 0;
    for (std::uint32_t pattern = 0; pattern < 130; ++pattern) {
      expected.push_back(plain_hits(table.nodes(), set.patterns(), pattern, comparisons));
    }
    for (const InstructionSet& instructions : instruction_sets()) {
      for (const bool by_kind : {false, true}) {
        for (const unsigned threads : {1u, 3u}) {
          Matcher matcher(table.nodes(), set.patterns(),
                          parameters_for(instructions, threads, by_kind));
          Hits hits;
          CHECK(matcher.match(hits));
          CHECK(matcher.match(hits));  // the buffers are used again
          CHECK(hits.comparisons + hits.avoided == comparisons);
          CHECK((hits.avoided > 0) == by_kind);
          for (std::uint32_t pattern = 0; pattern < 130; ++pattern) {
            CHECK(hits_of(hits, pattern) == expected[pattern]);
          }
        }
      }
    }
  }
}

TEST_CASE("threads share large tables and keep the order") {
  const Table table = random_table(40'000, 7);
  const PatternSet set = random_patterns(100, 4, 7);
  Hits alone;
  Matcher(table.nodes(), set.patterns(), parameters_for(instruction_sets().front())).match(alone);
  Hits shared;
  Matcher(table.nodes(), set.patterns(), parameters_for(instruction_sets().front(), 3))
      .match(shared);
  CHECK(shared.begin == alone.begin);
  CHECK(shared.comparisons == alone.comparisons);
  for (std::uint32_t pattern = 0; pattern < 100; ++pattern) {
    CHECK(hits_of(shared, pattern) == hits_of(alone, pattern));
  }
}

TEST_CASE("matching refuses what it cannot do and names it") {
  const Table table = random_table(100, 1);
  PatternSet set = random_patterns(1, 4, 1);
  const InstructionSet& instructions = instruction_sets().front();
  const auto refused = [&] {
    CHECK_THROWS_AS(Matcher(table.nodes(), set.patterns(), parameters_for(instructions)),
                    std::invalid_argument);
  };
  CHECK_THROWS_AS(Matcher(table.nodes(), set.patterns(), parameters_for(instructions, 0)),
                  std::invalid_argument);
  set.nodes = {{{kAny, kAny, kAny}, kNone, 0, kAny, 0}};
  set.begin = {0, 1};
  refused();  // repeats itself
  set.nodes[0].same = kNone;
  set.begin = {0, 0};
  refused();  // empty
  set.begin = {0, 65};
  set.nodes.assign(65, {{kAny, kAny, kAny}, 0, 0, kAny, kNone});
  refused();  // too large
  set.begin = {0, 2};
  set.nodes[1].parent = 1;
  refused();  // its own parent
  set.begin = {0, 1};
  Hits hits;
  Matcher matcher(table.nodes(), set.patterns(), {1, false, 99, instructions});
  CHECK_THROWS_AS(matcher.match(hits), std::invalid_argument);
  CHECK_THROWS_AS(instruction_set("mmx"), std::invalid_argument);
}

TEST_CASE("a stop ends a match and the next one is complete") {
  const Table table = random_table(20'000, 3);
  const PatternSet set = random_patterns(64, 4, 3);
  for (const unsigned threads : {1u, 2u}) {
    Matcher matcher(table.nodes(), set.patterns(),
                    parameters_for(instruction_sets().front(), threads));
    Hits hits;
    CHECK(!matcher.match(hits, [] { return true; }));
    CHECK(matcher.match(hits, [] { return false; }));
    CHECK(hits.size() > 0);
  }
}

TEST_CASE("an operation takes its steps in order until it is stopped") {
  const Table table = random_table(3000, 5);
  const PatternSet set = random_patterns(8, 4, 5);
  auto last = std::make_shared<Last<Hits>>();
  int others = 0;
  stratoperf_operation operation = {};
  std::vector<std::unique_ptr<Step>> steps;
  steps.push_back(std::make_unique<MatchStep>(table.nodes(), set.patterns(),
                                              parameters_for(instruction_sets().front()), last));
  steps.push_back(step_of([&](const Stop& stop) {
    CHECK(!stop());
    CHECK(last->complete);
    operation.stop = ++others == 3 ? 1 : 0;
  }));
  export_operation(std::make_unique<StepsOperation>(std::move(steps)), operation);
  CHECK(operation.run(operation.state, 2) == 0);
  CHECK(others == 2);
  CHECK(operation.run(operation.state, 9) == 0);
  CHECK(others == 3);
  operation.destroy(operation.state);
}

TEST_CASE("equal trees and only they have equal numbers") {
  // a(b, c), a(b, c), a(b, b)
  Table table;
  table.kind = {0, 0, 0, 1, 1, 1, 1, 1, 1};
  table.value = {0, 0, 0, 1, 2, 1, 2, 1, 1};
  table.count = {2, 2, 2, 0, 0, 0, 0, 0, 0};
  table.first_child = {3, 5, 7, 0, 0, 0, 0, 0, 0};
  table.layout = {0, 0, 0, 0, 0, 0, 0, 0, 0};
  const std::vector<std::uint32_t> numbers = number_subtrees(table.nodes());
  CHECK(numbers[0] == numbers[1]);
  CHECK(numbers[0] != numbers[2]);
  CHECK(numbers[3] == numbers[5]);
  CHECK(numbers[3] != numbers[4]);
  CHECK(number_subtrees(Nodes{}).empty());
}
