// The kernel that compares and counts, counts right.
#include <doctest.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "cuda/device/error.hpp"
#include "cuda/stratoswarm/integer_rate/rate_operation.hpp"
#include "cuda_emulator/control.hpp"

using stratoperf::cuda::Error;
using stratoperf::cuda::integer_rate::RateOperation;
using stratoperf::cuda::integer_rate::steps_per_second;

TEST_CASE("every word is counted once by each kernel, whatever the number of keys") {
  cuda_emulator::reset();
  for (const std::uint32_t keys : {1u, 7u, 64u}) {
    RateOperation operation(keys);
    CHECK(operation.verify().checked == 0);
    operation.run(2);
    CHECK(operation.device_time(1) > 0);
    CHECK(operation.verify().passed);
    CHECK(operation.verify().checked == 3);
    CHECK(operation.steps() % keys == 0);
  }
  CHECK_THROWS_AS(RateOperation(0), std::invalid_argument);
}

TEST_CASE("a kernel that did not count is found, timed by the host or by the device") {
  cuda_emulator::reset();
  for (const bool by_device : {false, true}) {
    RateOperation operation(7);
    cuda_emulator::lose_kernel();
    if (by_device) {
      operation.device_time(3);
    } else {
      operation.run(3);
    }
    CHECK(!operation.verify().passed);
    CHECK(operation.verify().message.find("there are") != std::string::npos);
  }
  cuda_emulator::lose_kernel();
  CHECK_THROWS_AS(steps_per_second(), Error);
  CHECK(steps_per_second() > 0);
}
