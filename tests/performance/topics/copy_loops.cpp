// Plain copies that migration between memories is compared with.
#include <time.h>

#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace {

void copy_past_the_caches(char* to, const char* from, std::uint64_t size) {
#ifdef __SSE2__
  for (std::uint64_t at = 0; at < size; at += 16) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to + at),
                     _mm_load_si128(reinterpret_cast<const __m128i*>(from + at)));
  }
  _mm_sfence();
#else
  std::memcpy(to, from, size);
#endif
}

std::uint64_t now() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC_RAW, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

// Copies `count` blocks of `size` bytes, each to its own place, and stores the nanoseconds that
// each took. All addresses are multiples of 16.
extern "C" void time_copies(int streaming, char* to, const char* from, std::uint64_t size,
                            std::uint64_t count, std::uint64_t* nanoseconds) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t start = now();
    if (streaming != 0) {
      copy_past_the_caches(to + i * size, from + i * size, size);
    } else {
      std::memcpy(to + i * size, from + i * size, size);
    }
    nanoseconds[i] = now() - start;
  }
}
