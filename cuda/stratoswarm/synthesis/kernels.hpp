// Launching the kernels of a match.
#pragma once

#include <cstdint>

#include "cuda/device/stream.hpp"
#include "cuda/stratoswarm/synthesis/cells.hpp"

namespace stratoperf::cuda::synthesis {

// Threads of a block: of the blocks that compare, six fill a multiprocessor.
inline constexpr unsigned kThreads = 256;

// Keys that a block holds at the most: 16 KiB, so that shared memory limits no multiprocessor.
inline constexpr std::uint32_t kMostKeys = 1024;

// Load the kernels that the functions below queue; before these are recorded.
void load_compare();
void load_place();

// Queues comparing the patterns of a pass with all nodes, by so many blocks: a multiple of the
// tiles. `goes_on`: whether any pattern does. Counts and sums must be zero.
void launch_compare(const Search& search, const Pass& pass, bool goes_on, unsigned blocks,
                    const Stream& stream);

// Queues putting the hits of a pass behind those of the passes before.
void launch_place(const Search& search, const Pass& pass, const Stream& stream);

// Queues copying everything to the host, after the last of `passes` passes.
void launch_deliver(const Search& search, const Delivery& delivery, std::uint32_t passes,
                    unsigned blocks, const Stream& stream);

}  // namespace stratoperf::cuda::synthesis
