#include <string>
#include <utility>

#include "stratoswarm/bindings/memory.hpp"
#include "stratoswarm/memory/allocate_operation.hpp"
#include "stratoswarm/memory/bandwidth_operation.hpp"
#include "stratoswarm/memory/fault_operation.hpp"
#include "stratoswarm/memory/migrate_operation.hpp"

namespace stratoperf::bindings {
namespace {

using memory::Access;
using memory::Fault;
using memory::Store;
using memory::Tier;

template <typename Native, typename... Arguments>
py::capsule make(Arguments&&... arguments) {
  std::unique_ptr<Operation> operation;
  {
    const py::gil_scoped_release release;
    operation = std::make_unique<Native>(std::forward<Arguments>(arguments)...);
  }
  return operation_capsule(std::move(operation), py::none());
}

Access access_named(const std::string& name) {
  return name == "read" ? Access::read : name == "write" ? Access::write : Access::copy;
}

}  // namespace

void register_memory_operations(py::module_& module,
                                py::class_<Store, std::shared_ptr<Store>>& store) {
  store.def(
      "migrate_operation",
      [](const std::shared_ptr<Store>& self, std::vector<std::vector<Store::Id>> groups,
         std::size_t from, std::size_t to) {
        return make<memory::MigrateOperation>(self, std::move(groups), from, to);
      },
      py::arg("groups"), py::arg("source"), py::arg("target"),
      "The capsule that migrates one group of blocks after the other.");
  store.def(
      "bandwidth_operation",
      [](const std::shared_ptr<Store>& self, const std::string& access, std::size_t from,
         std::size_t to, std::uint64_t size, bool main_thread) {
        const memory::Tuning tuning = self->tuning(from, to, size);
        std::unique_ptr<Operation> operation;
        interruptible(main_thread, [&](const memory::StopCheck& stop) {
          operation = std::make_unique<memory::BandwidthOperation>(self, access_named(access), from,
                                                                   to, size, tuning, stop);
        });
        return operation_capsule(std::move(operation), py::none());
      },
      py::arg("access"), py::arg("source"), py::arg("target"), py::arg("size"), py::kw_only(),
      py::arg("main_thread"), "The capsule that reads, writes or copies `size` bytes.");
  store.def(
      "allocate_operation",
      [](const std::shared_ptr<Store>& self, std::size_t tier, std::uint64_t size,
         std::size_t count,
         bool fresh) { return make<memory::AllocateOperation>(self, tier, size, count, fresh); },
      py::arg("tier"), py::arg("size"), py::arg("count"), py::arg("fresh"),
      "The capsule that allocates and frees `count` blocks.");
  module.def(
      "fault_operation",
      [](const std::string& kind, const std::string& directory) {
        const Fault fault = kind == "huge"    ? Fault::huge
                            : kind == "major" ? Fault::major
                                              : Fault::minor;
        return make<memory::FaultOperation>(fault, directory);
      },
      py::arg("kind"), py::arg("directory"), "The capsule that takes minor, huge or major faults.");
  module.def(
      "served_fault_operation",
      [](std::shared_ptr<Tier> lower) {
        return make<memory::ServedFaultOperation>(std::move(lower));
      },
      py::arg("lower"), "The capsule whose faults userfaultfd serves from a lower tier.");
}

}  // namespace stratoperf::bindings
