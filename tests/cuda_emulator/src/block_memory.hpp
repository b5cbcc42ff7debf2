// The shared memory of a block.
#pragma once

#include <cstddef>
#include <memory>

#include "generator.hpp"

namespace cuda_emulator {

// Between two canaries, unless AddressSanitizer watches the ends of what the heap gave.
class BlockMemory {
 public:
  // As much as a block asks for, aligned to 16 bytes, full of garbage.
  void renew(std::size_t bytes, Generator& random);
  unsigned char* data() const;
  std::size_t bytes() const { return bytes_; }
  // Whether nothing was written beside it.
  bool whole() const;

 private:
  std::unique_ptr<unsigned char[]> memory_;
  std::size_t bytes_ = 0;
};

}  // namespace cuda_emulator
