// Errors of the CUDA runtime as exceptions. Every call goes through `check`.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

#include "core/failure.hpp"

namespace stratoperf::cuda {

// A call failed. The message names the call, the device, the sizes and what CUDA says.
class Error : public Failure {
 public:
  Error(cudaError_t code, const std::string& message, Kind kind = Kind::failed)
      : Failure(message, kind), code_(code) {}
  cudaError_t code() const { return code_; }

 private:
  cudaError_t code_;
};

// CUDA cannot be used here: no driver, no device, a forked process, or no memory left.
class Unavailable : public Error {
 public:
  Unavailable(cudaError_t code, const std::string& message)
      : Error(code, message, Kind::unavailable) {}
};

// The device, or what it can map of the host's memory, is full.
class OutOfMemory : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

// Throws for anything but success: Unavailable where CUDA cannot be used at all, OutOfMemory, or
// Error. `call` names the call, `bytes` (0 where none) is what it asked for.
void check(cudaError_t status, const char* call, std::size_t bytes = 0);

// What CUDA says about an error: its name, what it means, and where we know it what mends it.
std::string describe(cudaError_t status);

}  // namespace stratoperf::cuda
