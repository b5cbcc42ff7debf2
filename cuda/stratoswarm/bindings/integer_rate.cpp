#include <cstdint>
#include <memory>
#include <utility>

#include "cuda/stratoswarm/bindings/topics.hpp"
#include "cuda/stratoswarm/integer_rate/rate_operation.hpp"

namespace stratoperf::cuda::bindings {
namespace {

using integer_rate::RateOperation;

std::pair<py::capsule, std::uint64_t> make_rate_operation(std::uint32_t keys) {
  std::unique_ptr<RateOperation> native;
  {
    const py::gil_scoped_release release;  // the first use of a device takes long
    native = std::make_unique<RateOperation>(keys);
  }
  const std::uint64_t steps = native->steps();
  return {stratoperf::bindings::operation_capsule(std::move(native), py::none()), steps};
}

double steps_per_second() {
  const py::gil_scoped_release release;
  return integer_rate::steps_per_second();
}

}  // namespace

void register_integer_rate(py::module_ module) {
  module.def("operation", &make_rate_operation, py::arg("keys") = integer_rate::kKeys,
             "The capsule that compares and counts, and the steps of one iteration.");
  module.def("steps_per_second", &steps_per_second,
             "Comparisons with a count each, per second: the best of some milliseconds.");
}

}  // namespace stratoperf::cuda::bindings
