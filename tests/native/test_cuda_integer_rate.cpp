// The kernel that compares and counts, counts right.
#include <doctest.h>

#include <stdexcept>

#include "cuda_emulator/control.hpp"
#include "integer_rate/rate_operation.hpp"

using stratoperf::cuda::integer_rate::RateOperation;

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
