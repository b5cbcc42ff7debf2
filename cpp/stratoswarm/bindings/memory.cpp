#include "stratoswarm/bindings/memory.hpp"

#include <optional>
#include <string>
#include <utility>

#include "stratoswarm/memory/file_tier.hpp"
#include "stratoswarm/memory/memory_tier.hpp"

namespace stratoperf::bindings {
namespace {

using memory::Calibration;
using memory::FileTier;
using memory::MemoryTier;
using memory::Pages;
using memory::Store;
using memory::Tier;
using memory::Tuning;

// Makes a block. Where the signal came too late to stop that, Python never learns of it.
template <typename Work>
Store::Id make_block(Store& store, bool main_thread, Work&& work) {
  Store::Id block = 0;  // none has this number
  try {
    interruptible(main_thread, [&](const memory::StopCheck& stop) { block = work(stop); });
  } catch (...) {
    if (block != 0) {
      store.free(block);
    }
    throw;
  }
  return block;
}

using Content = Array<std::uint8_t>;

std::span<const std::byte> bytes_of(const Content& content) {
  const auto values = view(content, "content");
  return std::as_bytes(values);
}

void register_tuning(py::module_& module) {
  py::class_<Tuning>(module, "Tuning", "How bytes move between two tiers.", py::module_local())
      .def_readonly("threads", &Tuning::threads)
      .def_readonly("chunk_bytes", &Tuning::chunk)
      .def_property_readonly("method",
                             [](const Tuning& tuning) { return memory::to_string(tuning.method); });
  py::class_<Calibration::Trial>(module, "Trial", "A tuning that was tried.", py::module_local())
      .def_readonly("tuning", &Calibration::Trial::tuning)
      .def_readonly("bytes_per_second", &Calibration::Trial::bytes_per_second);
  py::class_<Calibration>(module, "Calibration", "How a tuning was found.", py::module_local())
      .def_readonly("best", &Calibration::best)
      .def_readonly("trials", &Calibration::trials, "The fastest first.");
}

void register_tiers(py::module_& module) {
  py::class_<Tier, std::shared_ptr<Tier>>(module, "Tier", "Room for blocks in one kind of memory.",
                                          py::module_local())
      .def_property_readonly("name", &Tier::name)
      .def_property_readonly("capacity", &Tier::capacity)
      .def_property_readonly("used", &Tier::used)
      .def_property_readonly("durable", &Tier::durable);
  py::class_<MemoryTier, Tier, std::shared_ptr<MemoryTier>>(module, "MemoryTier",
                                                            py::module_local())
      .def(py::init([](const std::string& name, std::uint64_t capacity, bool huge,
                       std::optional<unsigned> node) {
             return std::make_shared<MemoryTier>(name, capacity, huge ? Pages::huge : Pages::base,
                                                 node);
           }),
           py::kw_only(), py::arg("name"), py::arg("capacity"), py::arg("huge"), py::arg("node"));
  py::class_<FileTier, Tier, std::shared_ptr<FileTier>>(module, "FileTier", py::module_local())
      .def(py::init<std::string, std::uint64_t, const std::string&>(), py::kw_only(),
           py::arg("name"), py::arg("capacity"), py::arg("directory"))
      .def_property_readonly("fallback", &FileTier::fallback,
                             "Why the page cache is not bypassed; empty when it is.")
      .def("fileno", [](const FileTier& tier) { return tier.file().number(); });
}

}  // namespace

void register_memory(py::module_ module) {
  register_tiers(module);
  register_tuning(module);
  module.attr("page_bytes") = memory::kPage;
  module.attr("smallest_block") = memory::kMinBlock;
  module.attr("largest_block") = memory::kMaxBlock;
  py::class_<Store, std::shared_ptr<Store>> store(module, "Store", "Blocks in tiers.",
                                                  py::module_local());
  store
      .def(py::init<std::vector<std::shared_ptr<Tier>>, std::uint64_t>(), py::arg("tiers"),
           py::arg("budget"))
      .def_property_readonly("written", &Store::written)
      .def(
          "allocate",
          [](Store& self, std::uint64_t size, std::size_t tier, bool main_thread) {
            return make_block(self, main_thread, [&](const memory::StopCheck& stop) {
              return self.allocate(size, tier, stop);
            });
          },
          py::arg("size"), py::arg("tier"), py::kw_only(), py::arg("main_thread"))
      .def(
          "store",
          [](Store& self, const Content& content, std::size_t tier, bool main_thread) {
            const auto bytes = bytes_of(content);
            return make_block(self, main_thread, [&](const memory::StopCheck& stop) {
              return self.store(bytes, tier, stop);
            });
          },
          py::arg("content"), py::arg("tier"), py::kw_only(), py::arg("main_thread"))
      .def(
          "read",
          [](Store& self, Store::Id block, bool main_thread) {
            py::array_t<std::uint8_t> content(static_cast<py::ssize_t>(self.size_of(block)));
            const std::span<std::uint8_t> values(content.mutable_data(),
                                                 static_cast<std::size_t>(content.size()));
            interruptible(main_thread, [&](const memory::StopCheck& stop) {
              self.read(block, std::as_writable_bytes(values), stop);
            });
            return content;
          },
          py::arg("block"), py::kw_only(), py::arg("main_thread"), "A new uint8 array.")
      .def(
          "write",
          [](Store& self, Store::Id block, const Content& content) {
            const auto bytes = bytes_of(content);
            const py::gil_scoped_release release;
            self.write(block, bytes);
          },
          py::arg("block"), py::arg("content"))
      .def("free", &Store::free, py::arg("block"))
      .def(
          "verify",
          [](Store& self, Store::Id block, bool main_thread) {
            interruptible(main_thread,
                          [&](const memory::StopCheck& stop) { self.verify(block, stop); });
          },
          py::arg("block"), py::kw_only(), py::arg("main_thread"))
      .def("tier_of", &Store::tier_of, py::arg("block"))
      .def("trim", &Store::trim, py::call_guard<py::gil_scoped_release>())
      .def(
          "migrate",
          [](Store& self, const std::vector<Store::Id>& blocks, std::size_t tier,
             bool main_thread) {
            interruptible(main_thread,
                          [&](const memory::StopCheck& stop) { self.migrate(blocks, tier, stop); });
          },
          py::arg("blocks"), py::arg("tier"), py::kw_only(), py::arg("main_thread"))
      .def(
          "calibrate",
          [](Store& self, std::size_t from, std::size_t to, std::uint64_t size, bool main_thread) {
            const Calibration* found = nullptr;
            interruptible(main_thread, [&](const memory::StopCheck& stop) {
              found = &self.calibrate(from, to, size, stop);
            });
            return *found;
          },
          py::arg("source"), py::arg("target"), py::arg("size"), py::kw_only(),
          py::arg("main_thread"))
      .def("tuning", &Store::tuning, py::arg("source"), py::arg("target"), py::arg("size"));
  register_memory_operations(module, store);
}

}  // namespace stratoperf::bindings
