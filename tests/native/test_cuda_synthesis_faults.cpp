// What can go wrong with a match on a device.
#include <doctest.h>

#include <cstdint>
#include <memory>
#include <stdexcept>

#include "cuda/device/error.hpp"
#include "cuda/stratoswarm/synthesis/matcher.hpp"
#include "cuda_emulator/control.hpp"
#include "emulated.hpp"
#include "synthesis_tables.hpp"

namespace cuda = stratoperf::cuda;
using stratoperf::cuda::Error;
using stratoperf::cuda::OutOfMemory;
using stratoperf::cuda::Unavailable;
using stratoperf::cuda::synthesis::Corpus;
using stratoperf::cuda::synthesis::Settings;
using namespace stratoperf::synthesis;

namespace {

constexpr std::uint64_t kEnough = std::uint64_t{1} << 32;

// A table, patterns, and what is to be found.
struct Case {
  Table table = random_table(1200, 3);
  PatternSet set = random_patterns(20, 3, 4);
  Hits expected = on_cpu(table, set);

  std::unique_ptr<cuda::synthesis::Matcher> matcher(const Settings& settings = {
                                                        .max_hits = kEnough}) const {
    return std::make_unique<cuda::synthesis::Matcher>(
        std::make_shared<const Corpus>(table.nodes(), set.patterns()), settings);
  }

  void check(cuda::synthesis::Matcher& matcher) const {
    Hits hits;
    REQUIRE(matcher.find(hits));
    check_equal(hits, expected);
  }
};

}  // namespace

TEST_CASE("a match leaves nothing on the device") {
  cuda_emulator::reset();
  const Case one;
  one.check(*one.matcher());
  CHECK(emulated::live() == 0);
}

TEST_CASE("an interrupted match is over before the next begins") {
  cuda_emulator::reset();
  const Case one;
  const auto matcher = one.matcher({.max_hits = kEnough, .limits = {.pass_cells = 10}});
  REQUIRE(matcher->plan().passes > 5);
  for (int polls : {0, 1, 4}) {
    CHECK(!matcher->match([&] { return polls-- == 0; }));
    one.check(*matcher);
  }
}

TEST_CASE("more hits than there may be are an error, and fewer are none") {
  cuda_emulator::reset();
  const Case one;
  const auto matcher = one.matcher({.max_hits = one.expected.size() - 1});
  CHECK_THROWS_AS(matcher->match(), std::invalid_argument);
  CHECK_THROWS_AS(matcher->match(), std::invalid_argument);
  one.check(*one.matcher({.max_hits = one.expected.size()}));
}

TEST_CASE("out of memory for hits leaves a matcher that can be used again") {
  cuda_emulator::reset();
  const Case one;
  for (const char* call : {"cudaMalloc", "cudaHostAlloc"}) {
    const auto matcher = one.matcher({.max_hits = kEnough, .capacity = 1});
    cuda_emulator::fail_next(call, cudaErrorMemoryAllocation);
    CHECK_THROWS_AS(matcher->match(), OutOfMemory);
    one.check(*matcher);
  }
  cuda_emulator::set_memory(std::size_t{1} << 14);
  CHECK_THROWS_AS(one.matcher(), OutOfMemory);
  cuda_emulator::reset();
  CHECK(emulated::live() == 0);
}

TEST_CASE("a call that fails is an error, and the next match is right") {
  cuda_emulator::reset();
  const Case one;
  const auto matcher = one.matcher({.max_hits = kEnough, .limits = {.pass_cells = 10}});
  one.check(*matcher);
  for (const char* call : {"cudaGraphLaunch", "cudaStreamSynchronize"}) {
    cuda_emulator::fail_next(call, cudaErrorUnknown);
    CHECK_THROWS_AS(matcher->match(), Error);
    one.check(*matcher);
  }
}

TEST_CASE("a lost device is an error each time, and ends no process") {
  cuda_emulator::reset();
  const Case one;
  {
    const auto matcher = one.matcher();
    cuda_emulator::lose_device();
    CHECK_THROWS_AS(matcher->match(), Error);
    CHECK_THROWS_AS(matcher->match(), Error);
  }
  cuda_emulator::reset();
}

TEST_CASE("tables and patterns that make no sense are refused") {
  cuda_emulator::reset();
  const Case one;
  CHECK_THROWS_AS(Corpus(Nodes{}, one.set.patterns()), std::invalid_argument);
  CHECK_THROWS_AS(Corpus(one.table.nodes(), Patterns{}), std::invalid_argument);
  PatternSet wrong = one.set;
  wrong.nodes[0].same = 0;
  CHECK_THROWS_AS(Corpus(one.table.nodes(), wrong.patterns()), std::invalid_argument);
  Table kinds = one.table;
  kinds.kind[7] = 0xffff;
  CHECK_THROWS_AS(Corpus(kinds.nodes(), one.set.patterns()), std::invalid_argument);
}

TEST_CASE("in a forked child a match is refused, and the parent goes on") {
  cuda_emulator::reset();
  const Case one;
  const auto matcher = one.matcher();
  one.check(*matcher);
  CHECK(emulated::refused_in_child<Unavailable>([&] { matcher->match(); }) == 1);
  one.check(*matcher);
}
