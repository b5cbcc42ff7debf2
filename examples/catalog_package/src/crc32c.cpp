#include "crc32c.hpp"

#include <array>
#include <cstring>

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

namespace checksums {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;  // its bits reversed

constexpr std::uint32_t shifted(std::uint32_t crc) {
  for (int bit = 0; bit < 8; ++bit) {
    crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
  }
  return crc;
}

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    table[byte] = shifted(byte);
  }
  return table;
}

constexpr auto table = make_table();

}  // namespace

std::uint32_t by_table(const unsigned char* data, std::size_t size) {
  std::uint32_t crc = ~0U;
  for (std::size_t i = 0; i < size; ++i) {
    crc = (crc >> 8) ^ table[(crc ^ data[i]) & 0xff];
  }
  return ~crc;
}

std::uint32_t by_definition(const unsigned char* data, std::size_t size) {
  std::uint32_t crc = ~0U;
  for (std::size_t i = 0; i < size; ++i) {
    crc = shifted(crc ^ data[i]);
  }
  return ~crc;
}

#ifdef __x86_64__

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(const unsigned char* data,
                                                               std::size_t size) {
  std::uint64_t crc = ~0U;
  for (; size >= sizeof(std::uint64_t); size -= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    crc = _mm_crc32_u64(crc, word);
    data += sizeof word;
  }
  auto rest = static_cast<std::uint32_t>(crc);
  for (std::size_t i = 0; i < size; ++i) {
    rest = _mm_crc32_u8(rest, data[i]);
  }
  return ~rest;
}

const char* instruction_problem() {
  return __builtin_cpu_supports("sse4.2") ? nullptr : "this processor has no SSE 4.2";
}

#else

std::uint32_t by_instruction(const unsigned char* data, std::size_t size) {
  return by_table(data, size);
}

const char* instruction_problem() { return "the instruction is used on x86-64 only"; }

#endif

}  // namespace checksums
