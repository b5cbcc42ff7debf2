// CRC-32C (Castagnoli), with a table and with the instruction that processors have for it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace checksums {

using Crc32c = std::uint32_t (*)(const unsigned char* data, std::size_t size);

std::uint32_t by_table(const unsigned char* data, std::size_t size);

// Bit by bit, as the polynomial is defined: what the others are checked with.
std::uint32_t by_definition(const unsigned char* data, std::size_t size);

// Only where instruction_problem() is null.
std::uint32_t by_instruction(const unsigned char* data, std::size_t size);

// Why this processor cannot run by_instruction, or null.
const char* instruction_problem();

}  // namespace checksums
