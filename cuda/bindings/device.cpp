#include "cuda/device/device.hpp"

#include "cuda/bindings/topics.hpp"

namespace stratoperf::cuda::bindings {

void register_device(py::module_ module) {
  module.def("unavailable_reason", &unavailable_reason,
             "Why no device can be used here; an empty string when one can. Creates no context.");

  py::class_<DeviceFacts>(module, "DeviceFacts", "What kernels are planned with.",
                          py::module_local())
      .def_readonly("name", &DeviceFacts::name)
      .def_readonly("memory_bytes", &DeviceFacts::memory_bytes)
      .def_readonly("shared_bytes_per_block", &DeviceFacts::shared_bytes_per_block)
      .def_readonly("multiprocessors", &DeviceFacts::multiprocessors)
      .def_readonly("major", &DeviceFacts::major)
      .def_readonly("minor", &DeviceFacts::minor);
  module.def(
      "count", &device_count,
      "How many there are; raises BackendUnavailable when there is none. Creates no context.");
  module.def(
      "facts", [](int device) { return facts({device}); }, py::arg("device") = 0,
      "Raises BackendUnavailable when there is no device, InvalidParameter for a wrong index.");
}

}  // namespace stratoperf::cuda::bindings
