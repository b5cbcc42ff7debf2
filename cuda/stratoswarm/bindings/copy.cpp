#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "cuda/stratoswarm/bindings/topics.hpp"
#include "cuda/stratoswarm/copy/copy_operation.hpp"

namespace stratoperf::cuda::bindings {
namespace {

using copy::CopyOperation;
using copy::Place;

Place place_of(const char* argument, const std::string& name) {
  if (name == "device") {
    return Place::kDevice;
  }
  if (name == "pinned") {
    return Place::kPinned;
  }
  if (name == "pageable") {
    return Place::kPageable;
  }
  throw std::invalid_argument(std::string(argument) + ": '" + name +
                              "' is unknown; choose device, pinned or pageable");
}

py::capsule make_copy_operation(std::size_t size, const std::string& source,
                                const std::string& target, std::uint64_t seed) {
  std::unique_ptr<CopyOperation> native;
  {
    const py::gil_scoped_release release;  // large buffers take long
    native = std::make_unique<CopyOperation>(copy::Copy{
        .from = place_of("source", source),
        .to = place_of("target", target),
        .bytes = size,
        .seed = seed,
    });
  }
  return stratoperf::bindings::operation_capsule(std::move(native), py::none());
}

}  // namespace

void register_copy(py::module_ module) {
  module.def("operation", &make_copy_operation, py::arg("size"), py::arg("source"),
             py::arg("target"), py::kw_only(), py::arg("seed") = 0,
             "The capsule of copies of `size` bytes from one of 'device', 'pinned' and 'pageable' "
             "to another, or within the device.");
}

}  // namespace stratoperf::cuda::bindings
