#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stratoswarm/bindings/topics.hpp"
#include "stratoswarm/containers/client.hpp"
#include "stratoswarm/containers/spawn_operation.hpp"

namespace stratoperf::bindings {
namespace {

namespace sandbox = containers;
using sandbox::Client;
using sandbox::ContainerSettings;
using sandbox::Reply;
using sandbox::SpawnLog;

std::vector<std::string> stage_names() {
  return {std::begin(sandbox::kStageNames), std::end(sandbox::kStageNames)};
}

// A container as its Python owner holds it.
struct Native {
  std::uint64_t id = 0;
  std::int32_t pid = -1;
  sandbox::Ready ready;
  std::vector<std::uint64_t> stages_ns;
  std::shared_ptr<sandbox::Descriptor> control;
};

std::unique_ptr<Native> spawn(Client& client, const ContainerSettings& settings) {
  auto native = std::make_unique<Native>();
  Reply reply = {};
  sandbox::Held held = client.spawn(settings, reply);
  native->id = held.id;
  native->pid = reply.pid;
  native->ready = held.ready;
  native->stages_ns.assign(std::begin(reply.stages_ns), std::end(reply.stages_ns));
  native->control = std::make_shared<sandbox::Descriptor>(std::move(held.control));
  return native;
}

struct ReportPart {
  std::uint32_t kind;
  std::int64_t value;
  py::bytes text;
};

void register_settings(py::module_& module) {
  py::class_<ContainerSettings>(module, "Settings", "What a container gets.")
      .def(py::init<>())
      .def_readwrite("namespaces", &ContainerSettings::namespaces)
      .def_readwrite("flags", &ContainerSettings::flags)
      .def_readwrite("memory_bytes", &ContainerSettings::memory_bytes)
      .def_readwrite("cpu_us", &ContainerSettings::cpu_us)
      .def_readwrite("processes", &ContainerSettings::processes)
      .def_readwrite("stop_stage", &ContainerSettings::stop_stage)
      .def_readwrite("name", &ContainerSettings::name)
      .def_readwrite("root", &ContainerSettings::root)
      .def_readwrite("command", &ContainerSettings::command)
      .def_readwrite("image", &ContainerSettings::image)
      .def_readwrite("files", &ContainerSettings::files);
  module.attr("POOLED") = static_cast<std::uint32_t>(sandbox::kPooled);
  module.attr("SHARED") = static_cast<std::uint32_t>(sandbox::kShared);
  module.attr("PARKED") = static_cast<std::uint32_t>(sandbox::kParked);
  module.attr("IMAGE") = static_cast<std::uint32_t>(sandbox::kImage);
  module.attr("STANDARD_FILES") = static_cast<std::uint32_t>(sandbox::kStandardFiles);
  module.attr("LIMITED") = static_cast<std::uint32_t>(sandbox::kLimited);
}

void register_results(py::module_& module) {
  py::class_<Reply>(module, "Reply", "What the helper answered.")
      .def_readonly("pid", &Reply::pid)
      .def_readonly("exited", &Reply::exited)
      .def_readonly("status", &Reply::status)
      .def_readonly("count", &Reply::count)
      .def_readonly("begun_ns", &Reply::begun_ns)
      .def_readonly("exited_ns", &Reply::exited_ns)
      .def_readonly("gone_ns", &Reply::gone_ns);
  py::class_<Native>(module, "Container", "A container that is ready.")
      .def_readonly("id", &Native::id)
      .def_readonly("pid", &Native::pid)
      .def_property_readonly(
          "ready_ns", [](const Native& self) { return self.ready.clock_ns - self.ready.called_ns; })
      .def_property_readonly("checksum", [](const Native& self) { return self.ready.checksum; })
      .def_property_readonly("image_bytes", [](const Native& self) { return self.ready.value; })
      .def_readonly("stages_ns", &Native::stages_ns)
      .def_property_readonly("control", [](const Native& self) { return self.control->number(); })
      .def("close", [](Native& self) { self.control->reset(); });
  py::class_<SpawnLog, std::shared_ptr<SpawnLog>>(module, "SpawnLog",
                                                  "What an operation saw beside its time.")
      .def_readonly("count", &SpawnLog::count)
      .def_readonly("first_instruction_ns", &SpawnLog::first_instruction)
      .def(
          "stage_ns", [](const SpawnLog& self, std::size_t stage) { return self.stages.at(stage); },
          py::arg("stage"))
      .def_readonly("last_control", &SpawnLog::last_control);
  py::class_<ReportPart>(module, "ReportPart", "A message of an init.")
      .def_readonly("kind", &ReportPart::kind)
      .def_readonly("value", &ReportPart::value)
      .def_readonly("text", &ReportPart::text);
}

sandbox::SpawnPlan plan_of(const ContainerSettings& settings, const std::string& way,
                           std::uint64_t pace_ns, std::uint64_t checksum) {
  const auto chosen = way == "pooled"   ? sandbox::Way::pooled
                      : way == "parked" ? sandbox::Way::parked
                                        : sandbox::Way::cold;
  return {settings, chosen, pace_ns, checksum};
}

}  // namespace

void register_containers(py::module_ module) {
  register_settings(module);
  register_results(module);
  module.def("stage_names", &stage_names, "The stages whose time a container reports.");
  module.def(
      "checksum",
      [](const py::bytes& data) {
        const std::string_view view = data;
        return sandbox::checksum_of(view.data(), view.size());
      },
      py::arg("data"), "The checksum that an agent computes of its image.");
  const py::call_guard<py::gil_scoped_release> release;
  module.def("send", &sandbox::send_message, py::arg("control"), py::arg("message"), release,
             "Sends a message to an init.");
  module.def("echo", &sandbox::echo, py::arg("control"), py::arg("timeout_ms"), py::arg("message"),
             release, "Sends a message to an init and waits for the same back.");
  module.def(
      "receive",
      [](int control, int timeout_ms) {
        sandbox::InitMessage message = {};
        std::string text;
        bool received = false;
        {
          const py::gil_scoped_release free;
          received = sandbox::receive_message(control, timeout_ms, message, text);
        }
        return received ? std::make_unique<ReportPart>(
                              ReportPart{message.kind, message.value, py::bytes(text)})
                        : nullptr;
      },
      py::arg("control"), py::arg("timeout_ms"),
      "The next message of an init, or None at the end of the connection.");
  module.def(
      "execute_again",
      [](int control, int timeout_ms) {
        const sandbox::Ready ready = sandbox::execute_again(control, timeout_ms);
        return ready.clock_ns - ready.called_ns;
      },
      py::arg("control"), py::arg("timeout_ms"), release,
      "Executes init again in a parked container; nanoseconds to its first instruction.");
  py::class_<Client, std::shared_ptr<Client>>(module, "Client", "The client of a helper.")
      .def(py::init<const std::string&, int>(), py::arg("program"), py::arg("timeout_ms"), release)
      .def("spawn", &spawn, py::arg("settings"), release)
      .def("destroy", &Client::destroy, py::arg("id"), release)
      .def("destroy_all", &Client::destroy_all, release)
      .def("status", &Client::status, py::arg("id"), release)
      .def("prepare", &Client::prepare, py::arg("count"), py::arg("settings"), release)
      .def("close", &Client::close, release)
      .def_property_readonly("is_open", &Client::is_open)
      .def_property_readonly("pid", &Client::pid)
      .def(
          "spawn_operation",
          [](std::shared_ptr<Client> self, const ContainerSettings& settings,
             const std::string& way, std::uint64_t pace_ns, std::uint64_t checksum) {
            auto log = std::make_shared<SpawnLog>();
            auto operation = std::make_unique<sandbox::SpawnOperation>(
                std::move(self), plan_of(settings, way, pace_ns, checksum), log);
            return std::pair(operation_capsule(std::move(operation), py::none()), log);
          },
          py::arg("settings"), py::arg("way"), py::arg("pace_ns"), py::arg("checksum"),
          "The capsule that spawns a container, and what it sees.")
      .def(
          "destroy_operation",
          [](std::shared_ptr<Client> self, const ContainerSettings& settings) {
            auto log = std::make_shared<SpawnLog>();
            auto operation = std::make_unique<sandbox::DestroyOperation>(
                std::move(self), plan_of(settings, "cold", 0, 0), log);
            return std::pair(operation_capsule(std::move(operation), py::none()), log);
          },
          py::arg("settings"), "The capsule that destroys a container, and what it sees.");
}

}  // namespace stratoperf::bindings
