#include "stratoswarm/memory/copy.hpp"

#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace stratoperf::memory {
namespace {

#ifdef __SSE2__
// How far ahead lines are fetched: the hardware's own prefetcher stops at the end of each page.
constexpr std::size_t kAhead = 1024;

void copy_streaming(std::byte* to, const std::byte* from, std::size_t size) {
  const auto* source = reinterpret_cast<const __m128i*>(from);
  auto* target = reinterpret_cast<__m128i*>(to);
  for (std::size_t at = 0; at < size; at += 64, source += 4, target += 4) {
    _mm_prefetch(reinterpret_cast<const char*>(source) + kAhead, _MM_HINT_NTA);
    const __m128i a = _mm_load_si128(source);
    const __m128i b = _mm_load_si128(source + 1);
    const __m128i c = _mm_load_si128(source + 2);
    const __m128i d = _mm_load_si128(source + 3);
    _mm_stream_si128(target, a);
    _mm_stream_si128(target + 1, b);
    _mm_stream_si128(target + 2, c);
    _mm_stream_si128(target + 3, d);
  }
  // Others may read the target once this returned.
  _mm_sfence();
}
#else
void copy_streaming(std::byte* to, const std::byte* from, std::size_t size) {
  std::memcpy(to, from, size);
}
#endif

}  // namespace

std::vector<CopyMethod> copy_methods() {
#ifdef __SSE2__
  return {CopyMethod::library, CopyMethod::streaming};
#else
  return {CopyMethod::library};
#endif
}

std::string_view to_string(CopyMethod method) {
  switch (method) {
    case CopyMethod::library:
      return "memcpy";
    case CopyMethod::streaming:
      return "streaming stores";
    case CopyMethod::in_place:
      return "in place";
    case CopyMethod::staged:
      break;
  }
  return "staged";
}

void copy(CopyMethod method, std::byte* to, const std::byte* from, std::size_t size) {
  if (method == CopyMethod::streaming) {
    copy_streaming(to, from, size);
  } else {
    std::memcpy(to, from, size);
  }
}

}  // namespace stratoperf::memory
