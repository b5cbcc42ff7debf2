// Copies between addresses.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace stratoperf::memory {

enum class CopyMethod {
  library,    // memcpy
  streaming,  // stores past the caches: the target is not read before it is overwritten
};

// Those that this processor has.
std::vector<CopyMethod> copy_methods();
std::string_view to_string(CopyMethod method);

// Both addresses and the size are multiples of 64.
void copy(CopyMethod method, std::byte* to, const std::byte* from, std::size_t size);

}  // namespace stratoperf::memory
