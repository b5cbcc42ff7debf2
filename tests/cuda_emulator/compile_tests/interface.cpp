// What the emulator declares is what CUDA declares: this compiles with the headers of either.
#include <cuda_runtime_api.h>

#include <cstddef>
#include <type_traits>

namespace {

template <typename Expected, typename Actual>
constexpr bool is(Actual*) {
  return std::is_same_v<Expected, Actual>;
}

using Error = cudaError_t;
using Size = std::size_t;

static_assert(is<const char*(Error)>(cudaGetErrorName));
static_assert(is<const char*(Error)>(cudaGetErrorString));
static_assert(is<Error()>(cudaGetLastError));
static_assert(is<Error()>(cudaPeekAtLastError));
static_assert(is<Error(int*)>(cudaDriverGetVersion));
static_assert(is<Error(int*)>(cudaRuntimeGetVersion));
static_assert(is<Error(int*)>(cudaGetDeviceCount));
static_assert(is<Error(int*)>(cudaGetDevice));
static_assert(is<Error(int)>(cudaSetDevice));
static_assert(is<Error(cudaDeviceProp*, int)>(cudaGetDeviceProperties));
static_assert(is<Error(int*, cudaDeviceAttr, int)>(cudaDeviceGetAttribute));
static_assert(is<Error()>(cudaDeviceSynchronize));
static_assert(is<Error(Size*, Size*)>(cudaMemGetInfo));
static_assert(is<Error(void**, Size)>(cudaMalloc));
static_assert(is<Error(void*)>(cudaFree));
static_assert(is<Error(void**, Size, unsigned)>(cudaHostAlloc));
static_assert(is<Error(void*)>(cudaFreeHost));
static_assert(is<Error(void*, Size, unsigned)>(cudaHostRegister));
static_assert(is<Error(void*)>(cudaHostUnregister));
static_assert(is<Error(void**, void*, unsigned)>(cudaHostGetDevicePointer));
static_assert(is<Error(void*, const void*, Size, cudaMemcpyKind)>(cudaMemcpy));
static_assert(is<Error(void*, const void*, Size, cudaMemcpyKind, cudaStream_t)>(cudaMemcpyAsync));
static_assert(is<Error(void*, int, Size)>(cudaMemset));
static_assert(is<Error(void*, int, Size, cudaStream_t)>(cudaMemsetAsync));
static_assert(is<Error(cudaStream_t*, unsigned)>(cudaStreamCreateWithFlags));
static_assert(is<Error(cudaStream_t)>(cudaStreamDestroy));
static_assert(is<Error(cudaStream_t)>(cudaStreamSynchronize));
static_assert(is<Error(cudaStream_t)>(cudaStreamQuery));
static_assert(is<Error(cudaStream_t, cudaEvent_t, unsigned)>(cudaStreamWaitEvent));
static_assert(is<Error(cudaStream_t, cudaStreamCaptureMode)>(cudaStreamBeginCapture));
static_assert(is<Error(cudaStream_t, cudaGraph_t*)>(cudaStreamEndCapture));
static_assert(is<Error(cudaEvent_t*, unsigned)>(cudaEventCreateWithFlags));
static_assert(is<Error(cudaEvent_t)>(cudaEventDestroy));
static_assert(is<Error(cudaEvent_t, cudaStream_t)>(cudaEventRecord));
static_assert(is<Error(cudaEvent_t)>(cudaEventSynchronize));
static_assert(is<Error(cudaEvent_t)>(cudaEventQuery));
static_assert(is<Error(float*, cudaEvent_t, cudaEvent_t)>(cudaEventElapsedTime));
static_assert(is<Error(cudaGraphExec_t*, cudaGraph_t, unsigned long long)>(cudaGraphInstantiate));
static_assert(is<Error(cudaGraphExec_t, cudaStream_t)>(cudaGraphUpload));
static_assert(is<Error(cudaGraphExec_t, cudaStream_t)>(cudaGraphLaunch));
static_assert(is<Error(cudaGraphExec_t)>(cudaGraphExecDestroy));
static_assert(is<Error(cudaGraph_t)>(cudaGraphDestroy));

static_assert(cudaSuccess == 0 && cudaErrorInvalidValue == 1 && cudaErrorMemoryAllocation == 2);
static_assert(cudaErrorInitializationError == 3 && cudaErrorCudartUnloading == 4);
static_assert(cudaErrorInvalidConfiguration == 9 && cudaErrorInsufficientDriver == 35);
static_assert(cudaErrorDevicesUnavailable == 46 && cudaErrorNoDevice == 100);
static_assert(cudaErrorInvalidDevice == 101 && cudaErrorNoKernelImageForDevice == 209);
static_assert(cudaErrorInvalidResourceHandle == 400 && cudaErrorNotReady == 600);
static_assert(cudaErrorIllegalAddress == 700 && cudaErrorLaunchFailure == 719);
static_assert(cudaErrorHostMemoryAlreadyRegistered == 712);
static_assert(cudaErrorHostMemoryNotRegistered == 713);
static_assert(cudaErrorNotSupported == 801 && cudaErrorSystemNotReady == 802);
static_assert(cudaErrorSystemDriverMismatch == 803 && cudaErrorCompatNotSupportedOnDevice == 804);
static_assert(cudaErrorStreamCaptureUnsupported == 900);
static_assert(cudaErrorStreamCaptureInvalidated == 901 && cudaErrorUnknown == 999);

static_assert(cudaMemcpyHostToHost == 0 && cudaMemcpyHostToDevice == 1);
static_assert(cudaMemcpyDeviceToHost == 2 && cudaMemcpyDeviceToDevice == 3);
static_assert(cudaMemcpyDefault == 4);
static_assert(cudaStreamCaptureModeGlobal == 0 && cudaStreamCaptureModeThreadLocal == 1);
static_assert(cudaStreamCaptureModeRelaxed == 2);
static_assert(cudaFuncAttributeMaxDynamicSharedMemorySize == 8);
static_assert(std::is_same_v<decltype(cudaFuncAttributes::maxThreadsPerBlock), int>);
static_assert(cudaHostAllocDefault == 0 && cudaHostAllocPortable == 1);
static_assert(cudaHostAllocMapped == 2 && cudaHostAllocWriteCombined == 4);
static_assert(cudaHostRegisterPortable == 1);
static_assert(cudaStreamDefault == 0 && cudaStreamNonBlocking == 1);
static_assert(cudaEventDefault == 0 && cudaEventBlockingSync == 1 && cudaEventDisableTiming == 2);

static_assert(cudaDevAttrMaxThreadsPerBlock == 1 && cudaDevAttrMaxSharedMemoryPerBlock == 8);
static_assert(cudaDevAttrWarpSize == 10 && cudaDevAttrClockRate == 13);
static_assert(cudaDevAttrMultiProcessorCount == 16 && cudaDevAttrL2CacheSize == 38);
static_assert(cudaDevAttrMaxThreadsPerMultiProcessor == 39);
static_assert(cudaDevAttrComputeCapabilityMajor == 75 && cudaDevAttrComputeCapabilityMinor == 76);
static_assert(cudaDevAttrMaxSharedMemoryPerMultiprocessor == 81);
static_assert(cudaDevAttrMaxSharedMemoryPerBlockOptin == 97);

using Properties = cudaDeviceProp;
static_assert(std::is_same_v<decltype(Properties::name), char[256]>);
static_assert(std::is_same_v<decltype(Properties::totalGlobalMem), Size>);
static_assert(std::is_same_v<decltype(Properties::sharedMemPerBlock), Size>);
static_assert(std::is_same_v<decltype(Properties::sharedMemPerBlockOptin), Size>);
static_assert(std::is_same_v<decltype(Properties::warpSize), int>);
static_assert(std::is_same_v<decltype(Properties::maxThreadsPerBlock), int>);
static_assert(std::is_same_v<decltype(Properties::multiProcessorCount), int>);
static_assert(std::is_same_v<decltype(Properties::l2CacheSize), int>);
static_assert(std::is_same_v<decltype(Properties::major), int>);
static_assert(std::is_same_v<decltype(Properties::minor), int>);

using Config = cudaLaunchConfig_t;
static_assert(std::is_same_v<decltype(Config::gridDim), dim3>);
static_assert(std::is_same_v<decltype(Config::blockDim), dim3>);
static_assert(std::is_same_v<decltype(Config::dynamicSmemBytes), Size>);
static_assert(std::is_same_v<decltype(Config::stream), cudaStream_t>);
static_assert(std::is_same_v<decltype(Config::attrs), cudaLaunchAttribute*>);
static_assert(std::is_same_v<decltype(Config::numAttrs), unsigned>);

static_assert(sizeof(uint2) == 8 && alignof(uint2) == 8);
static_assert(sizeof(uint3) == 12 && alignof(uint3) == 4);
static_assert(sizeof(uint4) == 16 && alignof(uint4) == 16);
static_assert(sizeof(int4) == 16 && alignof(int4) == 16);
static_assert(sizeof(dim3) == 12 && dim3(7).y == 1);

}  // namespace
