#include "core/reference.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <limits>
#include <system_error>

#include "core/clock.hpp"

namespace stratoperf {
namespace {

// Repeats of half a millisecond (at 3 GHz) and a quarter (at 120 ns a read): an interruption spoils
// one of them. At one clock rate the least of ten integer repeats is the same to 0.01 %; a reading
// of memory needs more, and repeats to 1.5 %. Half as many of them, each twice as long, is noisier.
constexpr int kIntegerRepeats = 10;
constexpr std::uint64_t kIntegerSteps = 250'000;
constexpr int kMemoryRepeats = 20;
constexpr std::uint64_t kMemorySteps = 2'000;

// A smaller buffer than this says little: most of it would be read twice within a repeat.
constexpr std::size_t kLeastBytes = 1U << 20;

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kPageWords = kPageBytes / sizeof(std::uint64_t);

// The constants are those of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
std::uint64_t step(std::uint64_t state) {
  return (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9U + 0x9E3779B97F4A7C15U;
}

// The upper bits are the well mixed ones.
std::size_t word_of(std::uint64_t state, std::size_t words) {
  return ((state >> 33) * kWordsPerLine) & (words - 1);
}

// Keeps a value from being computed at compile time, and a computation from being left out.
void hide(std::uint64_t& value) { asm volatile("" : "+r"(value)); }

// Drops the line from all caches, so that the next read of it goes to memory whatever the sizes of
// the caches are, and whatever happened to be in them.
void evict(const std::uint64_t* word) {
#if defined(__x86_64__)
  asm volatile("clflush (%0)" ::"r"(word) : "memory");
#elif defined(__aarch64__)
  asm volatile("dc civac, %0" ::"r"(word) : "memory");
#endif
}

void wait_for_evictions() {
#if defined(__x86_64__)
  asm volatile("mfence" ::: "memory");
#elif defined(__aarch64__)
  asm volatile("dsb sy" ::: "memory");
#endif
}

// Zeros in ordinary pages. Not from the heap, which could give pages that were used before; not in
// huge pages, which are there at times only, and would make one process faster than the next.
class Pages {
 public:
  explicit Pages(std::size_t bytes) {
    void* const address =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) {
      return;
    }
    words_ = {static_cast<std::uint64_t*>(address), bytes / sizeof(std::uint64_t)};
    // Best effort: a kernel without huge pages refuses.
    madvise(address, bytes, MADV_NOHUGEPAGE);
    // A page that was only read is the one page of zeros that all share.
    for (std::size_t i = 0; i < words_.size(); i += kPageWords) {
      words_[i] = 0;
    }
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() {
    if (!words_.empty()) {
      munmap(words_.data(), words_.size_bytes());
    }
  }

  std::span<const std::uint64_t> words() const { return words_; }

 private:
  std::span<std::uint64_t> words_ = {};
};

// Evicts what memory_chain will read: the words are zeros, so their states are those of `step`.
void evict_ahead(std::span<const std::uint64_t> words, std::uint64_t state, std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) {
    state = step(state);
    evict(&words[word_of(state, words.size())]);
  }
  wait_for_evictions();
}

// The least time of a step in several repeats. `chain` goes on from a state to the next; `prepare`
// comes before each repeat and is not timed.
template <typename Prepare, typename Chain>
double least_ns(int repeats, std::uint64_t steps, Prepare prepare, Chain chain) {
  const Clock& clock = Clock::instance();
  std::uint64_t state = 1;
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (int repeat = 0; repeat < repeats; ++repeat) {
    prepare(state);
    const std::uint64_t start = clock.ticks();
    state = chain(state);
    hide(state);
    least = std::min(least, clock.ticks() - start);
  }
  return static_cast<double>(least) * clock.ns_per_tick() / static_cast<double>(steps);
}

}  // namespace

std::uint64_t integer_chain(std::uint64_t state, std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) {
    state = step(state);
  }
  return state;
}

std::uint64_t memory_chain(std::span<const std::uint64_t> words, std::uint64_t state,
                           std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) {
    state = step(state);
    state += words[word_of(state, words.size())];
  }
  return state;
}

Reference read_reference(std::size_t memory_bytes) {
  Reference result;
  result.reason = "no memory was asked for";
  for (std::size_t bytes = std::bit_floor(memory_bytes); bytes >= kLeastBytes; bytes /= 2) {
    const Pages pages(bytes);
    const std::span<const std::uint64_t> words = pages.words();
    if (words.empty()) {
      result.reason = "the system refused " + std::to_string(bytes) +
                      " bytes of memory: " + std::generic_category().message(errno);
      continue;
    }
    result.memory_ns = least_ns(
        kMemoryRepeats, kMemorySteps,
        [words](std::uint64_t state) { evict_ahead(words, state, kMemorySteps); },
        [words](std::uint64_t state) { return memory_chain(words, state, kMemorySteps); });
    result.memory_bytes = bytes;
    result.reason.clear();
    break;
  }
  // Last: a core that was idle before has reached its clock rate by now.
  result.integer_ns = least_ns(
      kIntegerRepeats, kIntegerSteps, [](std::uint64_t) {},
      [](std::uint64_t state) { return integer_chain(state, kIntegerSteps); });
  return result;
}

}  // namespace stratoperf
