#include <cstdint>
#include <memory>
#include <string>

#include "cuda/device/mode.hpp"
#include "cuda/stratoswarm/bindings/topics.hpp"
#include "cuda/stratoswarm/round_trip/empty_operation.hpp"

namespace stratoperf::cuda::bindings {
namespace {

py::capsule empty_operation(const std::string& mode, std::uint64_t life_ns) {
  std::unique_ptr<round_trip::EmptyOperation> native;
  {
    const py::gil_scoped_release release;  // the first use of a device takes long
    native = std::make_unique<round_trip::EmptyOperation>(mode_named(mode), life_ns);
  }
  return stratoperf::bindings::operation_capsule(std::move(native), py::none());
}

}  // namespace

void register_round_trip(py::module_ module) {
  module.def("empty_operation", &empty_operation, py::arg("mode"), py::kw_only(),
             py::arg("life_ns") = kLifeNanoseconds,
             "The capsule of a kernel's round trip, host to host, that does nothing.");
}

}  // namespace stratoperf::cuda::bindings
