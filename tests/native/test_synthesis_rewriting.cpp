// Templates that are filled, and nodes that are replaced by them.
#include <doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "stratoswarm/synthesis/expand.hpp"
#include "stratoswarm/synthesis/steps.hpp"
#include "stratoswarm/synthesis/transform.hpp"
#include "stratoswarm/synthesis/transform_step.hpp"
#include "synthesis_tables.hpp"

using namespace stratoperf;
using namespace stratoperf::synthesis;

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
  const std::vector<std::uint32_t> parent = {kNone, 0, 1, kNone, 3};
  table.layout = {1, 1, 0, 1, 0};
  PatternSet set;
  set.nodes = {{{1, 5, 1}, kNone, 0, kAny, kNone}};
  set.begin = {0, 1};
  const std::vector<TemplateNode> nodes = {{4, 8, 3, kNone, kNone, 0, 2}};
  const std::vector<std::uint32_t> children = {kSlot, kSlot};
  std::vector<std::uint8_t> allowed(5, 1);
  Rewrite rewrite;
  rewrite.nodes = table.nodes();
  rewrite.parent = parent.data();
  rewrite.patterns = set.patterns();
  rewrite.captures = {{0, Capture::kChild, 0, 0}};
  rewrite.replacement = {nodes.data(), children.data(), 0, 1, 0};
  rewrite.allowed = allowed.data();
  rewrite.hits = 1;
  auto last = std::make_shared<Last<Rewritten>>();
  TransformStep step(rewrite, {1, false, std::uint64_t{1} << 40, instruction_sets().back()}, last);
  step.run({});
  REQUIRE(last->complete);
  CHECK(last->outcome.comparisons == 5);
  CHECK(last->outcome.table.kind == std::vector<std::uint32_t>{9, 4, 2, 2, 9, 3});
  CHECK(last->outcome.table.value == std::vector<std::uint32_t>{0, 8, 6, 6, 0, 7});
  CHECK(last->outcome.table.count == std::vector<std::uint32_t>{1, 2, 0, 0, 1, 0});
  CHECK(last->outcome.table.first_child == std::vector<std::uint32_t>{1, 2, 4, 4, 5, 6});
  CHECK(last->outcome.table.parent == std::vector<std::uint32_t>{kNone, 0, 1, 1, kNone, 4});
  CHECK(last->outcome.table.layout == std::vector<std::uint32_t>{1, 3, 0, 0, 1, 0});
  step.run([] { return true; });
  CHECK(!last->complete);
  allowed[1] = 0;  // one hit less than there are layouts for
  CHECK_THROWS_AS(step.run({}), std::runtime_error);
}
