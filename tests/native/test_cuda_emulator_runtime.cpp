// The emulated runtime: memory, streams, events, graphs, and what can go wrong.
#include <doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cuda/device/kernel.cuh"
#include "cuda_emulator/control.hpp"
#include "cuda_runtime.h"

namespace {

struct Stream {
  Stream() { REQUIRE(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking) == cudaSuccess); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { cudaStreamDestroy(handle); }
  cudaStream_t handle = nullptr;
};

struct Memory {
  explicit Memory(std::size_t bytes) { REQUIRE(cudaMalloc(&pointer, bytes) == cudaSuccess); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { cudaFree(pointer); }
  void* pointer = nullptr;
};

struct Event {
  explicit Event(unsigned flags = cudaEventDefault) {
    REQUIRE(cudaEventCreateWithFlags(&handle, flags) == cudaSuccess);
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { cudaEventDestroy(handle); }
  cudaEvent_t handle = nullptr;
};

template <typename... Parameters, typename... Arguments>
cudaError_t launch(cudaStream_t stream, void (*kernel)(Parameters...), Arguments... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(1);
  config.blockDim = dim3(32);
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, arguments...);
}

__global__ void increment(unsigned* counter) {
  if (threadIdx.x == 0) {
    *counter += 1;
  }
}

// Answers what the host asks until it asks for 0.
__global__ void echo(std::uint64_t* question, std::uint64_t* answer) {
  std::uint64_t last = ~std::uint64_t{0};
  while (last != 0) {
    std::uint64_t asked = last;
    if (threadIdx.x == 0) {
      while (asked == last) {
        asked = stratoperf::cuda::load_acquire_system(question);
      }
    }
    last = __shfl_sync(0xffffffffu, asked, 0);
    if (threadIdx.x == 0) {
      stratoperf::cuda::store_release_system(answer, last);
    }
  }
}

TEST_CASE("device memory is counted, limited, and starts as garbage") {
  cuda_emulator::reset();
  cuda_emulator::set_memory(1000);
  void* first = nullptr;
  void* second = nullptr;
  CHECK(cudaMalloc(&first, 600) == cudaSuccess);
  CHECK(cudaMalloc(&second, 600) == cudaErrorMemoryAllocation);
  CHECK(static_cast<unsigned char*>(first)[599] != 0);
  std::size_t free = 0;
  std::size_t total = 0;
  CHECK(cudaMemGetInfo(&free, &total) == cudaSuccess);
  CHECK(free == 400);
  CHECK(total == 1000);
  CHECK(cuda_emulator::statistics().at("live_allocations") == 1);
  CHECK(cudaFree(first) == cudaSuccess);
  CHECK(cudaFree(first) == cudaErrorInvalidValue);
  CHECK(cuda_emulator::statistics().at("live_allocations") == 0);
  cuda_emulator::reset();
}

TEST_CASE("a stream runs its work in order while the host goes on") {
  cuda_emulator::reset();
  const Stream stream;
  std::uint64_t question = ~std::uint64_t{0};
  std::uint64_t answer = 1;
  CHECK(launch(stream.handle, echo, &question, &answer) == cudaSuccess);
  for (const std::uint64_t asked : {7u, 9u, 0u}) {
    __atomic_store_n(&question, asked, __ATOMIC_RELEASE);
    while (__atomic_load_n(&answer, __ATOMIC_ACQUIRE) != asked) {
      if (asked != 0) {
        CHECK(cudaStreamQuery(stream.handle) == cudaErrorNotReady);
      }
    }
  }
  CHECK(cudaStreamSynchronize(stream.handle) == cudaSuccess);
  CHECK(cudaStreamQuery(stream.handle) == cudaSuccess);
}

TEST_CASE("a captured graph runs as often as it is launched, and not before") {
  cuda_emulator::reset();
  const Stream stream;
  unsigned counter = 0;
  cudaFuncAttributes attributes = {};
  CHECK(cudaFuncGetAttributes(&attributes, increment) == cudaSuccess);
  CHECK(cudaStreamBeginCapture(stream.handle, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  CHECK(launch(stream.handle, increment, &counter) == cudaSuccess);
  CHECK(launch(stream.handle, increment, &counter) == cudaSuccess);
  cudaGraph_t graph = nullptr;
  CHECK(cudaStreamEndCapture(stream.handle, &graph) == cudaSuccess);
  cudaGraphExec_t executable = nullptr;
  CHECK(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream.handle) == cudaSuccess);
  CHECK(counter == 0);
  for (int i = 0; i < 3; ++i) {
    CHECK(cudaGraphLaunch(executable, stream.handle) == cudaSuccess);
  }
  CHECK(cudaStreamSynchronize(stream.handle) == cudaSuccess);
  CHECK(counter == 6);
  CHECK(cuda_emulator::statistics().at("live_graphs") == 1);
  CHECK(cudaGraphExecDestroy(executable) == cudaSuccess);
  CHECK(cuda_emulator::statistics().at("live_graphs") == 0);
}

TEST_CASE("copies, fills and events are work of a stream") {
  cuda_emulator::reset();
  const Stream stream;
  const Event first;
  const Event last;
  const Memory source(100);
  std::vector<unsigned char> target(100, 2);
  CHECK(cudaMemset(source.pointer, 1, 100) == cudaSuccess);
  CHECK(cudaEventRecord(first.handle, stream.handle) == cudaSuccess);
  CHECK(cudaMemsetAsync(source.pointer, 5, 50, stream.handle) == cudaSuccess);
  CHECK(cudaMemcpyAsync(target.data(), source.pointer, 100, cudaMemcpyDeviceToHost,
                        stream.handle) == cudaSuccess);
  CHECK(cudaEventRecord(last.handle, stream.handle) == cudaSuccess);
  CHECK(cudaEventSynchronize(last.handle) == cudaSuccess);
  CHECK(target[49] == 5);
  CHECK(target[50] == 1);
  float milliseconds = -1;
  CHECK(cudaEventElapsedTime(&milliseconds, first.handle, last.handle) == cudaSuccess);
  CHECK(milliseconds >= 0);
}

TEST_CASE("a device has as many multiprocessors as a test wants") {
  cuda_emulator::reset();
  cuda_emulator::set_multiprocessors(40);
  int count = 0;
  CHECK(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, 0) == cudaSuccess);
  CHECK(count == 40);
  cuda_emulator::reset();
}

TEST_CASE("a machine without driver or device says which") {
  cuda_emulator::reset();
  int count = 7;
  cuda_emulator::set_driver_version(0);
  CHECK(cudaGetDeviceCount(&count) == cudaErrorInsufficientDriver);
  cuda_emulator::reset();
  cuda_emulator::set_device_count(0);
  CHECK(cudaGetDeviceCount(&count) == cudaErrorNoDevice);
  CHECK(count == 0);
  cuda_emulator::reset();
  CHECK(cudaSetDevice(1) == cudaErrorInvalidDevice);
}

TEST_CASE("a lost device ends a kernel that polls, and fails every call") {
  cuda_emulator::reset();
  const Stream stream;
  std::uint64_t question = ~std::uint64_t{0};
  std::uint64_t answer = 1;
  CHECK(launch(stream.handle, echo, &question, &answer) == cudaSuccess);
  cuda_emulator::lose_device();
  CHECK(cudaStreamSynchronize(stream.handle) == cudaErrorLaunchFailure);
  CHECK(launch(stream.handle, echo, &question, &answer) == cudaErrorLaunchFailure);
  cuda_emulator::reset();
  CHECK(cudaStreamSynchronize(stream.handle) == cudaSuccess);
}

TEST_CASE("a call fails when a test wants it to, once") {
  cuda_emulator::reset();
  cuda_emulator::fail_next("cudaMalloc", cudaErrorMemoryAllocation);
  void* memory = nullptr;
  CHECK(cudaMalloc(&memory, 16) == cudaErrorMemoryAllocation);
  CHECK(cudaMalloc(&memory, 16) == cudaSuccess);
  CHECK(cudaFree(memory) == cudaSuccess);
}

TEST_CASE("a kernel must be loaded before a capture") {
  cuda_emulator::reset();
  const Stream stream;
  unsigned counter = 0;
  const auto record = [&](cudaError_t launched, cudaError_t captured) {
    cudaGraph_t graph = nullptr;
    CHECK(cudaStreamBeginCapture(stream.handle, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    CHECK(launch(stream.handle, increment, &counter) == launched);
    CHECK(cudaStreamEndCapture(stream.handle, &graph) == captured);
    CHECK((graph == nullptr || cudaGraphDestroy(graph) == cudaSuccess));
  };
  record(cudaErrorStreamCaptureUnsupported, cudaErrorStreamCaptureInvalidated);
  cudaFuncAttributes attributes = {};
  CHECK(cudaFuncGetAttributes(&attributes, increment) == cudaSuccess);
  CHECK(attributes.maxThreadsPerBlock == 1024);
  record(cudaSuccess, cudaSuccess);
  CHECK(counter == 0);
}

TEST_CASE("more shared memory than usual must be asked for") {
  cuda_emulator::reset();
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(1);
  config.blockDim = dim3(32);
  config.dynamicSmemBytes = 64 * 1024;
  unsigned counter = 0;
  CHECK(cudaLaunchKernelEx(&config, increment, &counter) == cudaErrorInvalidValue);
  CHECK(cudaFuncSetAttribute(increment, cudaFuncAttributeMaxDynamicSharedMemorySize, 64 * 1024) ==
        cudaSuccess);
  CHECK(cudaLaunchKernelEx(&config, increment, &counter) == cudaSuccess);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  CHECK(counter == 1);
  config.blockDim = dim3(2048);
  CHECK(cudaLaunchKernelEx(&config, increment, &counter) == cudaErrorInvalidConfiguration);
  cuda_emulator::reset();
}

}  // namespace
