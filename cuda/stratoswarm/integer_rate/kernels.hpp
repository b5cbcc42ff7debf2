// Launching the kernel that compares and counts.
#pragma once

#include <cstdint>

#include "cuda/device/stream.hpp"

namespace stratoperf::cuda::integer_rate {

inline constexpr unsigned kThreads = 256;

// Words that a thread compares with each key: so many steps do not depend on each other.
inline constexpr std::uint32_t kThreadWords = 16;

// Queues comparing words below `keys` with the keys 0 to `keys` - 1. Each thread has kThreadWords
// of them, and each word is counted once: `counted` grows by blocks * kThreads * kThreadWords.
void launch_count(std::uint32_t keys, std::uint64_t* counted, unsigned blocks,
                  const Stream& stream);

}  // namespace stratoperf::cuda::integer_rate
