// What kernels keep of the requests that they answered, so that the host can check it later.
#pragma once

#include <cstdint>

#include "core/host_device.hpp"

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

}  // namespace stratoperf::cuda::round_trip
