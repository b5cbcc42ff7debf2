// What tests do to the emulated machine, and ask of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "cuda_runtime_api.h"

namespace cuda_emulator {

// The order in which the threads of a block run between two synchronization points, and the blocks
// of a grid.
enum class Order : std::uint8_t { ascending, descending, random };

// Waits for all work, then: one device, a current driver, the default memory, ascending order, no
// failures. What is allocated stays.
void reset();

void set_device_count(int count);
void set_driver_version(int version);  // 0: no driver
void set_memory(std::size_t bytes);    // of the device
// Four at first. Kernels over the whole device run as many blocks, and a large device has over a
// hundred: what only shows with more blocks than lanes needs some.
void set_multiprocessors(int count);
void set_order(Order order, std::uint64_t seed = 0);

// How long a block may do nothing but poll before that counts as a mistake; a minute at first.
void set_patience(std::uint64_t nanoseconds);

// Ends running kernels where they next synchronize or poll; all calls fail until `reset`.
void lose_device();

// Lets the next call of that name fail.
void fail_next(const std::string& call, cudaError_t error);

// Lets one kernel do nothing, after so many others, although every call reports success: a wrong
// result that only a verification can find.
void lose_kernel(unsigned after = 0);

// live_allocations, live_pinned, live_registered, live_streams, live_events, live_graphs: what is
// not freed yet; memory, peak_memory: bytes on the device; kernels: launched since the last reset.
std::map<std::string, std::uint64_t> statistics();

// What went wrong in a kernel; empty when nothing did since the last reset.
std::string last_failure();

}  // namespace cuda_emulator
