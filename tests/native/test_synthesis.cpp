#include <doctest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/operation.hpp"
#include "workloads/synthesis/expand.hpp"
#include "workloads/synthesis/match_step.hpp"
#include "workloads/synthesis/matcher.hpp"
#include "workloads/synthesis/steps.hpp"
#include "workloads/synthesis/subtrees.hpp"
#include "workloads/synthesis/transform.hpp"
#include "workloads/synthesis/transform_step.hpp"

using namespace stratoperf;
using namespace stratoperf::synthesis;

namespace {

struct Table {
  std::vector<std::uint32_t> kind, value, count, first_child, parent, layout, subtree;

  Nodes nodes() const {
    return {kind.data(),
            value.data(),
            count.data(),
            first_child.data(),
            layout.data(),
            subtree.empty() ? nullptr : subtree.data(),
            static_cast<std::uint32_t>(kind.size())};
  }
};

// Trees in level order, over so few types and values that much matches.
Table random_table(std::uint32_t size, std::uint32_t seed) {
  std::mt19937 engine(seed);
  const auto below = [&](std::uint32_t bound) {
    return static_cast<std::uint32_t>(engine()) % bound;
  };
  Table table;
  for (std::uint32_t row = 0; row < size; ++row) {
    if (row == table.parent.size()) {
      table.parent.push_back(kNone);
    }
    const auto next = static_cast<std::uint32_t>(table.parent.size());
    const std::uint32_t count = std::min(below(3), size - next);
    table.kind.push_back(below(3));
    table.value.push_back(below(3));
    table.count.push_back(count);
    table.first_child.push_back(next);
    table.layout.push_back(count);
    table.parent.insert(table.parent.end(), count, row);
  }
  table.subtree = number_subtrees(table.nodes());
  return table;
}

struct PatternSet {
  std::vector<PatternNode> nodes;
  std::vector<std::uint32_t> begin = {0};
  std::vector<std::uint32_t> layout_sets = {0x6};  // layouts 1 and 2

  Patterns patterns() const {
    return {nodes.data(), begin.data(), layout_sets.data(), 1,
            static_cast<std::uint32_t>(begin.size() - 1)};
  }
};

PatternSet random_patterns(std::uint32_t size, std::uint32_t seed) {
  std::mt19937 engine(seed);
  const auto field = [&] {
    const auto draw = static_cast<std::uint32_t>(engine()) % 8;
    return draw < 3 ? draw : draw == 3 ? kAbsent : kAny;
  };
  PatternSet set;
  for (std::uint32_t pattern = 0; pattern < size; ++pattern) {
    const std::uint32_t nodes = 1 + static_cast<std::uint32_t>(engine()) % 4;
    for (std::uint32_t i = 0; i < nodes; ++i) {
      const std::uint32_t layout = engine() % 4 == 0 ? kLayoutSet : kAny;
      const std::uint32_t same = i > 1 && engine() % 4 == 0 ? (i - 1) | (i % 2 << 31) : kNone;
      const std::uint32_t child = engine() % 2 == 0 ? i % 2 : kFromEnd | i % 2;
      set.nodes.push_back(
          {{field(), field(), field()}, i == 0 ? kNone : i / 2, child, layout, same});
    }
    set.begin.push_back(static_cast<std::uint32_t>(set.nodes.size()));
  }
  return set;
}

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
    const PatternSet set = random_patterns(130, size);
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
  const PatternSet set = random_patterns(100, 7);
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
  PatternSet set = random_patterns(1, 1);
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
  const PatternSet set = random_patterns(64, 3);
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
  const PatternSet set = random_patterns(8, 5);
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

TEST_CASE("templates are filled in order by any number of threads") {
  const std::string bytes = "abbccc";
  std::vector<std::uint64_t> begin = {0};
  constexpr std::uint64_t kExpansions = 9000;
  std::string all;
  for (std::uint64_t e = 0; e < kExpansions; ++e) {
    for (const std::size_t size : {e % 3, e % 5}) {
      all += bytes.substr(0, size);
      begin.push_back(all.size());
    }
  }
  const Texts texts = {all.data(), begin.data(), 2, kExpansions};
  for (const unsigned threads : {1u, 4u}) {
    Expander expander({{"f(", 1}, {", ", 0}}, ")", texts, threads);
    Expanded expanded;
    CHECK(expander.expand(expanded));
    for (const std::uint64_t e : {std::uint64_t{0}, std::uint64_t{4}, kExpansions - 1}) {
      const std::string text(
          expanded.bytes.begin() + static_cast<std::ptrdiff_t>(expanded.begin[e]),
          expanded.bytes.begin() + static_cast<std::ptrdiff_t>(expanded.begin[e + 1]));
      CHECK(text == "f(" + bytes.substr(0, e % 5) + ", " + bytes.substr(0, e % 3) + ")");
    }
    CHECK(!expander.expand(expanded, [] { return true; }));
  }
  CHECK_THROWS_AS(Expander({{"", 2}}, "", texts, 1), std::invalid_argument);
  CHECK_THROWS_AS(Expander({{"", 0}}, "", texts, 0), std::invalid_argument);
}

TEST_CASE("matched nodes become the template with what was captured") {
  // Two trees: m(f(a)) and m(b). f($x) becomes g($x, $x).
  Table table;
  table.kind = {9, 1, 2, 9, 3};
  table.value = {0, 5, 6, 0, 7};
  table.count = {1, 1, 0, 1, 0};
  table.first_child = {1, 2, 3, 4, 5};
  table.parent = {kNone, 0, 1, kNone, 3};
  table.layout = {1, 1, 0, 1, 0};
  PatternSet set;
  set.nodes = {{{1, 5, 1}, kNone, 0, kAny, kNone}};
  set.begin = {0, 1};
  const std::vector<TemplateNode> nodes = {{4, 8, 3, kNone, kNone, 0, 2}};
  const std::vector<std::uint32_t> children = {kSlot, kSlot};
  std::vector<std::uint8_t> allowed(5, 1);
  Rewrite rewrite;
  rewrite.nodes = table.nodes();
  rewrite.parent = table.parent.data();
  rewrite.patterns = set.patterns();
  rewrite.captures = {{0, Capture::kChild, 0, 0}};
  rewrite.replacement = {nodes.data(), children.data(), 0, 1, 0};
  rewrite.allowed = allowed.data();
  rewrite.hits = 1;
  auto last = std::make_shared<Last<NewTable>>();
  TransformStep step(rewrite, parameters_for(instruction_sets().back()), last);
  step.run({});
  REQUIRE(last->complete);
  CHECK(last->outcome.kind == std::vector<std::uint32_t>{9, 4, 2, 2, 9, 3});
  CHECK(last->outcome.value == std::vector<std::uint32_t>{0, 8, 6, 6, 0, 7});
  CHECK(last->outcome.count == std::vector<std::uint32_t>{1, 2, 0, 0, 1, 0});
  CHECK(last->outcome.first_child == std::vector<std::uint32_t>{1, 2, 4, 4, 5, 6});
  CHECK(last->outcome.parent == std::vector<std::uint32_t>{kNone, 0, 1, 1, kNone, 4});
  CHECK(last->outcome.layout == std::vector<std::uint32_t>{1, 3, 0, 0, 1, 0});
  step.run([] { return true; });
  CHECK(!last->complete);
  allowed[1] = 0;  // one hit less than there are layouts for
  CHECK_THROWS_AS(step.run({}), std::runtime_error);
}
