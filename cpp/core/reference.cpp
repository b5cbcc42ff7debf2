#include "core/reference.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <system_error>

#include "core/clock.hpp"

namespace stratoperf {
namespace {

// Repeats of an eighth of a millisecond (at 3 GHz, and at 120 ns a read), of which the lower
// quartile counts: an interruption spoils one of them, and three quarters may be spoiled. The least
// would show the best moment, and hide that another guest has part of the core most of the time.
constexpr int kRepeats = 40;
constexpr int kQuartile = kRepeats / 4;
constexpr std::uint64_t kIntegerSteps = 50'000;
constexpr std::uint64_t kMemorySteps = 1'000;

// A smaller buffer than this says little: most of it would be read twice within a repeat.
constexpr std::size_t kLeastBytes = 1U << 20;

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kPageWords = kPageBytes / sizeof(std::uint64_t);

// xorshift64 (Marsaglia, J. Stat. Softw. 8 (14), 2003): six operations, each in need of the last.
std::uint64_t shifted(std::uint64_t state) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^ (state << 17);
}

// The constants are those of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
std::uint64_t mixed(std::uint64_t state) {
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

// Evicts what memory_chain will read: the words are zeros, so their states are those of `mixed`.
void evict_ahead(std::span<const std::uint64_t> words, std::uint64_t state, std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) {
    state = mixed(state);
    evict(&words[word_of(state, words.size())]);
  }
  wait_for_evictions();
}

// The time of a step. `chain` goes on from a state to the next; `prepare` comes before each repeat
// and is not timed.
template <typename Prepare, typename Chain>
double step_ns(std::uint64_t steps, Prepare prepare, Chain chain) {
  const Clock& clock = Clock::instance();
  std::uint64_t state = 1;
  std::array<std::uint64_t, kRepeats> lengths = {};
  for (std::uint64_t& length : lengths) {
    prepare(state);
    const std::uint64_t start = clock.ticks();
    state = chain(state);
    hide(state);
    length = clock.ticks() - start;
  }
  std::nth_element(lengths.begin(), lengths.begin() + kQuartile, lengths.end());
  return static_cast<double>(lengths[kQuartile]) * clock.ns_per_tick() / static_cast<double>(steps);
}

}  // namespace

std::uint64_t integer_chains(std::uint64_t state, std::uint64_t steps) {
  // Odd, since xorshift stays at 0.
  std::uint64_t a = state | 1;
  std::uint64_t b = a + 2;
  std::uint64_t c = a + 4;
  std::uint64_t d = a + 6;
  for (std::uint64_t i = 0; i < steps; ++i) {
    a = shifted(a);
    b = shifted(b);
    c = shifted(c);
    d = shifted(d);
    // In registers, each on its own: as a vector they would use other units.
    hide(a);
    hide(b);
    hide(c);
    hide(d);
  }
  return a + b + c + d;
}

std::uint64_t memory_chain(std::span<const std::uint64_t> words, std::uint64_t state,
                           std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) {
    state = mixed(state);
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
    result.memory_ns = step_ns(
        kMemorySteps, [words](std::uint64_t state) { evict_ahead(words, state, kMemorySteps); },
        [words](std::uint64_t state) { return memory_chain(words, state, kMemorySteps); });
    result.memory_bytes = bytes;
    result.reason.clear();
    break;
  }
  // Last: a core that was idle before has reached its clock rate by now.
  result.integer_ns = step_ns(
      kIntegerSteps, [](std::uint64_t) {},
      [](std::uint64_t state) { return integer_chains(state, kIntegerSteps); });
  return result;
}

}  // namespace stratoperf
