// The emulated runtime refuses what CUDA refuses, and does not hang where CUDA does not.
#include <doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cuda/device/kernel.cuh"
#include "cuda_emulator/control.hpp"
#include "cuda_runtime.h"

namespace {

cudaStream_t new_stream() {
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  return stream;
}

cudaEvent_t new_event(unsigned flags = cudaEventDefault) {
  cudaEvent_t event = nullptr;
  REQUIRE(cudaEventCreateWithFlags(&event, flags) == cudaSuccess);
  return event;
}

// Polls until the host lets it go.
__global__ void wait_for(std::uint64_t* go) {
  while (stratoperf::cuda::load_acquire_system(go) == 0) {
  }
}

__global__ void nothing() {}

cudaError_t launch(cudaStream_t stream, void (*kernel)(std::uint64_t*), std::uint64_t* argument) {
  cudaLaunchConfig_t config = {};
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, argument);
}

TEST_CASE("a stream waits for what an event had recorded when it was told to") {
  cuda_emulator::reset();
  const cudaStream_t first = new_stream();
  const cudaStream_t second = new_stream();
  const cudaEvent_t event = new_event();
  std::uint64_t go = 0;
  CHECK(launch(first, wait_for, &go) == cudaSuccess);
  CHECK(cudaEventRecord(event, first) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(second, event) == cudaSuccess);
  // Recorded again behind the wait: waiting for this would never end.
  CHECK(cudaEventRecord(event, second) == cudaSuccess);
  CHECK(cudaStreamQuery(second) == cudaErrorNotReady);
  CHECK(cudaEventQuery(event) == cudaErrorNotReady);
  __atomic_store_n(&go, 1, __ATOMIC_RELEASE);
  CHECK(cudaStreamSynchronize(second) == cudaSuccess);
  CHECK(cudaEventQuery(event) == cudaSuccess);
  CHECK(cudaStreamDestroy(first) == cudaSuccess);
  CHECK(cudaStreamDestroy(second) == cudaSuccess);
  CHECK(cudaEventDestroy(event) == cudaSuccess);
}

TEST_CASE("time is only between events that take it and were recorded") {
  cuda_emulator::reset();
  const cudaEvent_t timed = new_event();
  const cudaEvent_t other = new_event();
  const cudaEvent_t untimed = new_event(cudaEventDisableTiming);
  float milliseconds = -1;
  CHECK(cudaEventRecord(timed) == cudaSuccess);
  CHECK(cudaEventRecord(untimed) == cudaSuccess);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  CHECK(cudaEventElapsedTime(&milliseconds, timed, other) == cudaErrorInvalidResourceHandle);
  CHECK(cudaEventElapsedTime(&milliseconds, timed, untimed) == cudaErrorInvalidResourceHandle);
  CHECK(cudaEventElapsedTime(&milliseconds, timed, timed) == cudaSuccess);
  CHECK(milliseconds == 0);
  for (const cudaEvent_t event : {timed, other, untimed}) {
    CHECK(cudaEventDestroy(event) == cudaSuccess);
  }
  CHECK(cudaEventDestroy(nullptr) == cudaErrorInvalidResourceHandle);
  CHECK(cuda_emulator::statistics().at("live_events") == 0);
}

TEST_CASE("calls that a capture does not allow spoil it") {
  cuda_emulator::reset();
  const cudaStream_t stream = new_stream();
  const std::array<cudaError_t (*)(cudaStream_t), 4> calls = {
      [](cudaStream_t) {
        void* memory = nullptr;
        const cudaError_t error = cudaHostAlloc(&memory, 16, cudaHostAllocDefault);
        static_cast<void>(memory == nullptr || cudaFreeHost(memory) != cudaSuccess);
        return error;
      },
      [](cudaStream_t) { return cudaDeviceSynchronize(); },
      [](cudaStream_t captured) { return cudaStreamSynchronize(captured); },
      [](cudaStream_t) { return cudaFree(nullptr); },
  };
  for (const auto call : calls) {
    CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    CHECK(call(stream) == cudaErrorStreamCaptureUnsupported);
    cudaGraph_t graph = nullptr;
    CHECK(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated);
    CHECK(graph == nullptr);
    CHECK(call(stream) == cudaSuccess);
  }
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

TEST_CASE("copies and fills stay within what was allocated") {
  cuda_emulator::reset();
  void* memory = nullptr;
  REQUIRE(cudaMalloc(&memory, 100) == cudaSuccess);
  std::vector<unsigned char> host(200);
  CHECK(cudaMemcpy(memory, host.data(), 101, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(memory, host.data(), 101, cudaMemcpyDefault) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(host.data(), memory, 100, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(cudaMemcpy(host.data(), host.data() + 100, 9, cudaMemcpyDeviceToHost) ==
        cudaErrorInvalidValue);
  CHECK(cudaMemset(memory, 1, 101) == cudaErrorInvalidValue);
  CHECK(cudaMemset(host.data(), 1, 1) == cudaErrorInvalidValue);
  CHECK(cudaMemset(memory, 1, 100) == cudaSuccess);
  CHECK(cudaMemcpy(host.data(), static_cast<char*>(memory) + 40, 60, cudaMemcpyDeviceToHost) ==
        cudaSuccess);
  CHECK(host[59] == 1);
  CHECK(host[60] == 0);
  CHECK(cudaFree(memory) == cudaSuccess);
  CHECK(cudaMemset(memory, 1, 100) == cudaErrorInvalidValue);
}

TEST_CASE("only memory that is pinned has an address on the device") {
  cuda_emulator::reset();
  void* pinned = nullptr;
  void* device = nullptr;
  int pageable = 0;
  REQUIRE(cudaHostAlloc(&pinned, 64, cudaHostAllocMapped) == cudaSuccess);
  CHECK(cudaHostGetDevicePointer(&device, pinned, 0) == cudaSuccess);
  CHECK(cudaHostGetDevicePointer(&device, &pageable, 0) == cudaErrorInvalidValue);
  CHECK(cuda_emulator::statistics().at("live_pinned") == 1);
  CHECK(cudaFreeHost(pinned) == cudaSuccess);
  CHECK(cudaFreeHost(pinned) == cudaErrorInvalidValue);
}

TEST_CASE("launches beyond the limits, or with attributes, are refused") {
  cuda_emulator::reset();
  cudaLaunchConfig_t config = {};
  for (const auto& [grid, block] : std::vector<std::pair<dim3, dim3>>{{dim3(0), dim3(1)},
                                                                      {dim3(1), dim3(1025)},
                                                                      {dim3(1), dim3(1, 1, 65)},
                                                                      {dim3(1, 65536), dim3(1)}}) {
    config.gridDim = grid;
    config.blockDim = block;
    CHECK(cudaLaunchKernelEx(&config, nothing) == cudaErrorInvalidConfiguration);
    CHECK(cudaGetLastError() == cudaErrorInvalidConfiguration);
  }
  config = {};
  config.numAttrs = 1;
  CHECK(cudaLaunchKernelEx(&config, nothing) == cudaErrorNotSupported);
  cudaStream_t stream = nullptr;
  CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamDefault) == cudaErrorNotSupported);
  int blocks = 0;
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 1024, 0) == cudaSuccess);
  CHECK(blocks == 2);
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 64, 100'000) ==
        cudaSuccess);
  CHECK(blocks == 2);
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 32, 0) == cudaSuccess);
  CHECK(blocks == 32);
}

TEST_CASE("freeing memory waits for kernels of every stream") {
  cuda_emulator::reset();
  const cudaStream_t stream = new_stream();
  void* memory = nullptr;
  REQUIRE(cudaMalloc(&memory, 16) == cudaSuccess);
  std::uint64_t go = 0;
  CHECK(launch(stream, wait_for, &go) == cudaSuccess);
  std::thread freeing([memory] { CHECK(cudaFree(memory) == cudaSuccess); });
  CHECK(cuda_emulator::statistics().at("live_allocations") == 1);
  CHECK(cudaStreamQuery(stream) == cudaErrorNotReady);
  __atomic_store_n(&go, 1, __ATOMIC_RELEASE);
  freeing.join();
  CHECK(cudaStreamQuery(stream) == cudaSuccess);
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

TEST_CASE("streams come and go in one thread while another waits for all of them") {
  cuda_emulator::reset();
  std::thread other([] {
    for (int i = 0; i < 50; ++i) {
      void* memory = nullptr;
      CHECK(cudaMalloc(&memory, 16) == cudaSuccess);
      CHECK(cudaFree(memory) == cudaSuccess);
    }
  });
  std::uint64_t go = 1;
  for (int i = 0; i < 50; ++i) {
    const cudaStream_t stream = new_stream();
    CHECK(launch(stream, wait_for, &go) == cudaSuccess);
    CHECK(cudaStreamDestroy(stream) == cudaSuccess);
  }
  other.join();
  CHECK(cuda_emulator::statistics().at("live_streams") == 0);
}

TEST_CASE("the child of a process that used CUDA gets errors, and does not hang") {
  cuda_emulator::reset();
  const cudaStream_t stream = new_stream();
  const cudaEvent_t event = new_event();
  void* memory = nullptr;
  REQUIRE(cudaMalloc(&memory, 16) == cudaSuccess);
  std::uint64_t go = 0;
  CHECK(launch(stream, wait_for, &go) == cudaSuccess);
  CHECK(cudaEventRecord(event, stream) == cudaSuccess);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(60);  // a hang ends in a signal
    int count = 0;
    int wrong = 0;
    for (const cudaError_t error :
         {cudaGetDeviceCount(&count), cudaStreamSynchronize(stream), cudaStreamQuery(stream),
          cudaEventSynchronize(event), cudaFree(memory), cudaDeviceSynchronize(),
          launch(stream, wait_for, &go), cudaStreamDestroy(stream)}) {
      wrong += error == cudaErrorInitializationError ? 0 : 1;
    }
    _exit(wrong);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  __atomic_store_n(&go, 1, __ATOMIC_RELEASE);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(cudaFree(memory) == cudaSuccess);
  CHECK(cudaEventDestroy(event) == cudaSuccess);
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

TEST_CASE("errors have the names and texts of CUDA") {
  CHECK(std::string(cudaGetErrorName(cudaErrorMemoryAllocation)) == "cudaErrorMemoryAllocation");
  CHECK(std::string(cudaGetErrorString(cudaErrorMemoryAllocation)) == "out of memory");
  CHECK(std::string(cudaGetErrorName(cudaErrorSystemNotReady)) == "cudaErrorSystemNotReady");
  CHECK(std::string(cudaGetErrorName(static_cast<cudaError_t>(123456))) ==
        "unrecognized error code");
}

}  // namespace
