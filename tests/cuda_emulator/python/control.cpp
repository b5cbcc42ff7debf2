#include "control.hpp"

#include <stdexcept>
#include <string>

#include "cuda_emulator/control.hpp"

namespace stratoperf::bindings {
namespace {

void set_order(const std::string& order, std::uint64_t seed) {
  using cuda_emulator::Order;
  if (order != "ascending" && order != "descending" && order != "random") {
    throw std::invalid_argument("order: expected ascending, descending or random, got " + order);
  }
  cuda_emulator::set_order(order == "ascending"    ? Order::ascending
                           : order == "descending" ? Order::descending
                                                   : Order::random,
                           seed);
}

}  // namespace

void register_emulator(py::module_ module) {
  const auto release = py::call_guard<py::gil_scoped_release>();
  module.def("reset", &cuda_emulator::reset, release,
             "Waits for all work; then one device and no failures.");
  module.def("set_device_count", &cuda_emulator::set_device_count, py::arg("count"));
  module.def("set_driver_version", &cuda_emulator::set_driver_version, py::arg("version"),
             "As CUDA numbers them, 12040 for 12.4; 0 for no driver.");
  module.def("set_memory", &cuda_emulator::set_memory, py::arg("bytes"), "Of the device.");
  module.def("set_order", &set_order, py::arg("order"), py::arg("seed") = 0,
             "Of threads between two synchronizations: ascending, descending or random.");
  module.def("lose_device", &cuda_emulator::lose_device, "All calls fail from now on.");
  module.def(
      "fail_next",
      [](const std::string& call, int error) {
        cuda_emulator::fail_next(call, static_cast<cudaError_t>(error));
      },
      py::arg("call"), py::arg("error"), "Lets the next call of that name fail.");
  module.def("lose_kernel", &cuda_emulator::lose_kernel, py::arg("after") = 0,
             "Lets a kernel do nothing, after so many others, although all calls report success.");
  module.def("statistics", &cuda_emulator::statistics, "What is not freed yet, and what was done.");
  module.def("last_failure", &cuda_emulator::last_failure, "What went wrong in a kernel.");
}

}  // namespace stratoperf::bindings
