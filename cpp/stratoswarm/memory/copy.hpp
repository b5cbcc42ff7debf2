// Copies between addresses.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace stratoperf::memory {

enum class CopyMethod {
  // Between two memories:
  library,    // memcpy
  streaming,  // stores past the caches: the target is not read before it is overwritten
  // Between memory and what has no addresses:
  in_place,  // the device reads and writes where the block lies
  staged,    // a buffer in huge pages lies between: one large piece instead of many pages, each
             // of which a device (a virtual one above all) has to be told of
};

// Those between two memories that this processor has.
std::vector<CopyMethod> copy_methods();
std::string_view to_string(CopyMethod method);

// By streaming stores or else memcpy. Both addresses and the size are multiples of 64.
void copy(CopyMethod method, std::byte* to, const std::byte* from, std::size_t size);

}  // namespace stratoperf::memory
