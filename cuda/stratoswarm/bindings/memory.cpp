#include "stratoswarm/bindings/memory.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cuda/stratoswarm/bindings/topics.hpp"
#include "cuda/stratoswarm/memory/gpu_tier.hpp"
#include "cuda/stratoswarm/memory/locked_tier.hpp"
#include "stratoswarm/bindings/topics.hpp"

namespace stratoperf::cuda::bindings {
namespace {

using memory::GpuTier;
using memory::LockedTier;
using stratoperf::memory::MemoryTier;
using stratoperf::memory::Pages;
using stratoperf::memory::Tier;

}  // namespace

// What the core's module has of tiers, and those that need a device.
void register_memory(py::module_ module) {
  stratoperf::bindings::register_memory(module);
  py::class_<GpuTier, Tier, std::shared_ptr<GpuTier>>(module, "GpuTier", "A device's memory.",
                                                      py::module_local())
      .def(py::init([](const std::string& name, std::uint64_t capacity, int device) {
             return std::make_shared<GpuTier>(name, capacity, DeviceId{device});
           }),
           py::kw_only(), py::arg("name"), py::arg("capacity"), py::arg("device"));
  py::class_<LockedTier, MemoryTier, std::shared_ptr<LockedTier>>(
      module, "LockedTier", "CPU memory, page-locked where blocks lie.", py::module_local())
      .def(py::init([](const std::string& name, std::uint64_t capacity, bool huge,
                       std::optional<unsigned> node, int device) {
             return std::make_shared<LockedTier>(name, capacity, huge ? Pages::huge : Pages::base,
                                                 node, DeviceId{device});
           }),
           py::kw_only(), py::arg("name"), py::arg("capacity"), py::arg("huge"), py::arg("node"),
           py::arg("device"));
  module.def(
      "free_bytes",
      [](int device) {
        const py::gil_scoped_release release;  // the first use of a device takes long
        return free_memory({device});
      },
      py::arg("device"), "Of a device's memory; creates a context.");
}

}  // namespace stratoperf::cuda::bindings
