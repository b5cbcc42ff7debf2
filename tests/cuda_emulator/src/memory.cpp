#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "machine.hpp"
#include "stream.hpp"

using cuda_emulator::Blocks;
using cuda_emulator::machine;
using cuda_emulator::stream_of;

namespace {

// What fresh memory holds: nobody may rely on zeros.
constexpr int kGarbage = 0xa7;
constexpr std::size_t kAlignment = 256;  // as cudaMalloc gives
constexpr std::size_t kPage = 4096;      // as cudaHostAlloc gives

void* fresh(std::size_t bytes, std::size_t alignment) {
  const std::size_t whole = (bytes + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, whole == 0 ? alignment : whole);
  if (memory != nullptr) {
    std::memset(memory, kGarbage, bytes);
  }
  return memory;
}

enum class Range { foreign, inside, beyond };

// Whether bytes lie in one of the blocks, or begin there and leave it.
Range where(const Blocks& blocks, const void* pointer, std::size_t bytes) {
  auto block = blocks.upper_bound(pointer);
  if (block == blocks.begin()) {
    return Range::foreign;
  }
  --block;
  const auto offset = static_cast<std::size_t>(static_cast<const char*>(pointer) -
                                               static_cast<const char*>(block->first));
  if (offset >= block->second) {
    return Range::foreign;
  }
  return bytes <= block->second - offset ? Range::inside : Range::beyond;
}

// Memory that a device sees. Pageable memory of the host, which we do not know, is none.
Range where(const void* pointer, std::size_t bytes) {
  const std::lock_guard lock(machine().mutex);
  for (const Blocks* blocks : {&machine().allocations, &machine().pinned, &machine().registered}) {
    const Range range = where(*blocks, pointer, bytes);
    if (range != Range::foreign) {
      return range;
    }
  }
  return Range::foreign;
}

bool possible(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind) {
  const Range to = where(target, bytes);
  const Range from = where(source, bytes);
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  return bytes == 0 ||
         (to != Range::beyond && from != Range::beyond && !(to_device && to != Range::inside) &&
          !(from_device && from != Range::inside));
}

}  // namespace

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  if (const cudaError_t error = machine().enter("cudaMemGetInfo")) {
    return machine().result(error);
  }
  const std::lock_guard lock(machine().mutex);
  *total = machine().memory_bytes;
  *free = machine().memory_bytes - std::min(machine().memory_used, machine().memory_bytes);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  if (cuda_emulator::spoils_capture()) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  if (const cudaError_t error = machine().enter("cudaMalloc")) {
    return machine().result(error);
  }
  const std::lock_guard lock(machine().mutex);
  if (bytes > machine().memory_bytes || machine().memory_used > machine().memory_bytes - bytes) {
    return machine().result(cudaErrorMemoryAllocation);
  }
  void* const memory = fresh(bytes, kAlignment);
  if (memory == nullptr) {
    return machine().result(cudaErrorMemoryAllocation);
  }
  machine().allocations[memory] = bytes;
  machine().memory_used += bytes;
  machine().memory_peak = std::max(machine().memory_peak, machine().memory_used);
  *pointer = memory;
  return cudaSuccess;
}

// Waits for all work, as on a device: a kernel that polls keeps it from returning.
cudaError_t cudaFree(void* pointer) {
  if (cuda_emulator::spoils_capture()) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  if (machine().forked()) {
    return machine().result(cudaErrorInitializationError);
  }
  cuda_emulator::synchronize_all();
  if (pointer == nullptr) {
    return cudaSuccess;
  }
  {
    const std::lock_guard lock(machine().mutex);
    const auto found = machine().allocations.find(pointer);
    if (found == machine().allocations.end()) {
      return machine().result(cudaErrorInvalidValue);
    }
    machine().memory_used -= found->second;
    machine().allocations.erase(found);
  }
  std::free(pointer);
  return machine().result(machine().enter("cudaFree"));
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned /*flags*/) {
  if (cuda_emulator::spoils_capture()) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  if (const cudaError_t error = machine().enter("cudaHostAlloc")) {
    return machine().result(error);
  }
  void* const memory = fresh(bytes, kPage);
  if (memory == nullptr) {
    return machine().result(cudaErrorMemoryAllocation);
  }
  *pointer = memory;
  const std::lock_guard lock(machine().mutex);
  machine().pinned[memory] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* pointer) {
  if (cuda_emulator::spoils_capture()) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  if (machine().forked()) {
    return machine().result(cudaErrorInitializationError);
  }
  cuda_emulator::synchronize_all();
  {
    const std::lock_guard lock(machine().mutex);
    if (machine().pinned.erase(pointer) == 0) {
      return machine().result(cudaErrorInvalidValue);
    }
  }
  std::free(pointer);
  return machine().result(machine().enter("cudaFreeHost"));
}

cudaError_t cudaHostRegister(void* pointer, std::size_t bytes, unsigned /*flags*/) {
  if (cuda_emulator::spoils_capture()) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  if (const cudaError_t error = machine().enter("cudaHostRegister")) {
    return machine().result(error);
  }
  if (pointer == nullptr || bytes == 0) {
    return machine().result(cudaErrorInvalidValue);
  }
  const std::lock_guard lock(machine().mutex);
  const char* const begin = static_cast<const char*>(pointer);
  const auto next = machine().registered.lower_bound(begin + bytes);
  if (next != machine().registered.begin()) {
    const auto& [address, size] = *std::prev(next);
    if (static_cast<const char*>(address) + size > begin) {
      return machine().result(cudaErrorHostMemoryAlreadyRegistered);
    }
  }
  machine().registered[pointer] = bytes;
  return cudaSuccess;
}

cudaError_t cudaHostUnregister(void* pointer) {
  if (cuda_emulator::spoils_capture()) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  if (machine().forked()) {
    return machine().result(cudaErrorInitializationError);
  }
  cuda_emulator::synchronize_all();
  {
    const std::lock_guard lock(machine().mutex);
    if (machine().registered.erase(pointer) == 0) {
      return machine().result(cudaErrorHostMemoryNotRegistered);
    }
  }
  return machine().result(machine().enter("cudaHostUnregister"));
}

cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned /*flags*/) {
  if (const cudaError_t error = machine().enter("cudaHostGetDevicePointer")) {
    return machine().result(error);
  }
  if (where(host, 1) != Range::inside) {
    return machine().result(cudaErrorInvalidValue);
  }
  *device = host;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* target, const void* source, std::size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t stream) {
  if (const cudaError_t error = machine().enter("cudaMemcpyAsync")) {
    return machine().result(error);
  }
  if (!possible(target, source, bytes, kind)) {
    return machine().result(cudaErrorInvalidValue);
  }
  stream_of(stream).enqueue([target, source, bytes] { std::memcpy(target, source, bytes); });
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind) {
  if (cuda_emulator::spoils_capture()) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  if (const cudaError_t error = machine().enter("cudaMemcpy")) {
    return machine().result(error);
  }
  if (const cudaError_t error = cudaMemcpyAsync(target, source, bytes, kind, nullptr)) {
    return error;
  }
  return cudaStreamSynchronize(nullptr);
}

cudaError_t cudaMemsetAsync(void* target, int value, std::size_t bytes, cudaStream_t stream) {
  if (const cudaError_t error = machine().enter("cudaMemsetAsync")) {
    return machine().result(error);
  }
  if (bytes > 0 && where(target, bytes) != Range::inside) {
    return machine().result(cudaErrorInvalidValue);
  }
  stream_of(stream).enqueue([target, value, bytes] { std::memset(target, value, bytes); });
  return cudaSuccess;
}

cudaError_t cudaMemset(void* target, int value, std::size_t bytes) {
  if (cuda_emulator::spoils_capture()) {
    return machine().result(cudaErrorStreamCaptureUnsupported);
  }
  if (const cudaError_t error = machine().enter("cudaMemset")) {
    return machine().result(error);
  }
  if (const cudaError_t error = cudaMemsetAsync(target, value, bytes, nullptr)) {
    return error;
  }
  return cudaStreamSynchronize(nullptr);
}
