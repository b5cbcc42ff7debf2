// What kernels keep of the requests that they answered, so that the host can check it later.
#pragma once

#include <cstdint>
#include <string>

#include "core/host_device.hpp"
#include "core/operation.hpp"

namespace stratoperf::cuda::round_trip {

struct Receipts {
  std::uint64_t requests;  // how many
  std::uint64_t sum;       // of them, modulo 2^64
  std::uint64_t busy_ns;   // from seeing a request to having answered it; persistent kernels only

  STRATOPERF_HOST_DEVICE void add(std::uint64_t request) {
    ++requests;
    sum += request;
  }
};

// Whether the kernels have seen exactly the requests that the host made.
inline Verification compare(const Receipts& made, const Receipts& got) {
  if (got.requests == made.requests && got.sum == made.sum) {
    return {made.requests, true, {}};
  }
  return {made.requests, false,
          "the kernels answered " + std::to_string(got.requests) + " requests with the sum " +
              std::to_string(got.sum) + "; the host made " + std::to_string(made.requests) +
              " with the sum " + std::to_string(made.sum)};
}

}  // namespace stratoperf::cuda::round_trip
