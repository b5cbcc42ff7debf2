#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/bindings.hpp"
#include "stratoswarm/bindings/topics.hpp"
#include "stratoswarm/kernel/command_operation.hpp"
#include "stratoswarm/kernel/device.hpp"
#include "stratoswarm/kernel/namespace_operation.hpp"
#include "stratoswarm/kernel/syscall_operation.hpp"

namespace stratoperf::bindings {
namespace {

using kernel::AgentConfig;
using kernel::AgentQuery;
using kernel::Command;
using kernel::Device;
using kernel::FreeForm;
using kernel::GpuStats;
using kernel::MemoryPressure;
using kernel::TierStats;

// What the kernel says as what Python has for it: the number, the reason and the command.
void translate_command_error(std::exception_ptr error) {
  try {
    if (error) {
      std::rethrow_exception(error);
    }
  } catch (const kernel::CommandError& refused) {
    const py::tuple details =
        py::make_tuple(refused.number(), std::strerror(refused.number()), refused.command());
    PyErr_SetObject(PyExc_OSError, details.ptr());
  }
}

template <typename Structure>
void give(const Device& device, Command command, Structure& argument) {
  const py::gil_scoped_release release;
  device.call(command, argument);
}

FreeForm form_of(bool by_pointer) { return by_pointer ? FreeForm::pointer : FreeForm::value; }

void register_replies(py::module_& module) {
  py::class_<AgentQuery>(module, "AgentQuery", "Reply to AGENT_QUERY.", py::module_local())
      .def_readonly("agent_id", &AgentQuery::agent_id)
      .def_readonly("pid", &AgentQuery::pid)
      .def_readonly("padding", &AgentQuery::padding)
      .def_readonly("memory_usage", &AgentQuery::memory_usage)
      .def_readonly("gpu_memory_usage", &AgentQuery::gpu_memory_usage)
      .def_readonly("violation_count", &AgentQuery::violation_count)
      .def_readonly("state", &AgentQuery::state);
  py::class_<GpuStats>(module, "GpuStats", "Reply to GPU_QUERY.", py::module_local())
      .def_readonly("total_memory", &GpuStats::total_memory)
      .def_readonly("used_memory", &GpuStats::used_memory)
      .def_readonly("allocation_count", &GpuStats::allocation_count)
      .def_readonly("dma_checks", &GpuStats::dma_checks)
      .def_readonly("quota_violations", &GpuStats::quota_violations);
  py::class_<TierStats>(module, "TierStats", "Reply to TIER_STATS.", py::module_local())
      .def_readonly("tier", &TierStats::tier)
      .def_readonly("padding", &TierStats::padding)
      .def_readonly("total_pages", &TierStats::total_pages)
      .def_readonly("used_pages", &TierStats::used_pages)
      .def_readonly("hot_pages", &TierStats::hot_pages)
      .def_readonly("cold_pages", &TierStats::cold_pages)
      .def_readonly("migrations_in", &TierStats::migrations_in)
      .def_readonly("migrations_out", &TierStats::migrations_out);
  py::class_<MemoryPressure>(module, "MemoryPressure", "Reply to TIER_PRESSURE.",
                             py::module_local())
      .def_readonly("tier", &MemoryPressure::tier)
      .def_readonly("pressure_level", &MemoryPressure::pressure_level)
      .def_readonly("free_pages", &MemoryPressure::free_pages)
      .def_readonly("reclaimable_pages", &MemoryPressure::reclaimable_pages);
}

void register_agents(py::class_<Device>& device) {
  device
      .def(
          "agent_create",
          [](const Device& self, const std::string& name, std::uint64_t memory_limit,
             std::uint32_t cpu_quota, std::uint64_t gpu_memory_limit, std::uint32_t flags) {
            AgentConfig config = {};
            kernel::set_text(config.name, name, "name");
            config.memory_limit = memory_limit;
            config.cpu_quota = cpu_quota;
            config.gpu_memory_limit = gpu_memory_limit;
            config.namespace_flags = flags;
            give(self, Command::agent_create, config);
            return config.agent_id;
          },
          py::kw_only(), py::arg("name"), py::arg("memory_limit"), py::arg("cpu_quota"),
          py::arg("gpu_memory_limit"), py::arg("namespace_flags"))
      .def(
          "agent_destroy",
          [](const Device& self, std::uint64_t agent) {
            give(self, Command::agent_destroy, agent);
          },
          py::arg("agent"))
      .def(
          "agent_query",
          [](const Device& self, std::uint64_t agent) {
            AgentQuery query = {};
            query.agent_id = agent;
            give(self, Command::agent_query, query);
            return query;
          },
          py::arg("agent"))
      .def(
          "agent_set_ns",
          [](const Device& self, std::uint64_t agent, std::uint32_t flags) {
            kernel::NamespaceConfig config = {};
            config.agent_id = agent;
            config.namespace_flags = flags;
            give(self, Command::agent_set_ns, config);
          },
          py::arg("agent"), py::arg("namespace_flags"));
}

using BindMounts = std::vector<std::tuple<std::string, std::string, std::uint32_t>>;

void set_overlay(auto& target, const std::vector<std::string>& overlay) {
  kernel::set_text(target.lower, overlay.at(0), "lower");
  kernel::set_text(target.upper, overlay.at(1), "upper");
  kernel::set_text(target.work, overlay.at(2), "work");
  kernel::set_text(target.merged, overlay.at(3), "merged");
}

void register_mounts(py::class_<Device>& device) {
  device
      .def(
          "mount_setup",
          [](const Device& self, std::uint64_t agent, const std::vector<std::string>& overlay,
             const BindMounts& binds, const std::string& old_root, bool private_mounts) {
            const auto mount = std::make_unique<kernel::Mount>();
            if (binds.size() > kernel::kMostBindMounts) {
              throw std::invalid_argument("bind_mounts: expected at most 16, got " +
                                          std::to_string(binds.size()) +
                                          "; add the others with add_bind_mount");
            }
            mount->agent_id = agent;
            if (!overlay.empty()) {
              set_overlay(*mount, overlay);
              mount->use_overlayfs = 1;
            }
            for (const auto& [source, target, flags] : binds) {
              kernel::MountEntry& entry = mount->bind_mounts[mount->num_bind_mounts++];
              kernel::set_text(entry.source, source, "source");
              kernel::set_text(entry.target, target, "target");
              entry.flags = flags;
            }
            kernel::set_text(mount->old_root, old_root, "old_root");
            mount->private_mounts = private_mounts ? 1 : 0;
            give(self, Command::mount_setup, *mount);
          },
          py::arg("agent"), py::kw_only(), py::arg("overlay"), py::arg("binds"),
          py::arg("old_root"), py::arg("private_mounts"),
          "`overlay` is lower, upper, work and merged, or empty; a bind is source, target, flags.")
      .def(
          "mount_teardown",
          [](const Device& self, std::uint64_t agent) {
            give(self, Command::mount_teardown, agent);
          },
          py::arg("agent"))
      .def(
          "mount_add_bind",
          [](const Device& self, std::uint64_t agent, const std::string& source,
             const std::string& target, std::uint32_t flags) {
            kernel::BindMount bind = {};
            bind.agent_id = agent;
            kernel::set_text(bind.source, source, "source");
            kernel::set_text(bind.target, target, "target");
            bind.flags = flags;
            give(self, Command::mount_add_bind, bind);
          },
          py::arg("agent"), py::arg("source"), py::arg("target"), py::arg("flags"))
      .def(
          "mount_overlayfs",
          [](const Device& self, std::uint64_t agent, const std::vector<std::string>& overlay) {
            kernel::Overlayfs argument = {};
            argument.agent_id = agent;
            set_overlay(argument, overlay);
            give(self, Command::mount_overlayfs, argument);
          },
          py::arg("agent"), py::arg("overlay"));
}

void register_gpu(py::class_<Device>& device) {
  device
      .def("gpu_alloc", &Device::gpu_alloc, py::arg("agent"), py::arg("size"), py::arg("device"),
           py::arg("flags"), py::call_guard<py::gil_scoped_release>())
      .def(
          "gpu_free",
          [](const Device& self, std::uint64_t allocation, bool by_pointer) {
            const py::gil_scoped_release release;
            self.gpu_free(allocation, form_of(by_pointer));
          },
          py::arg("allocation"), py::arg("by_pointer"))
      .def("gpu_query",
           [](const Device& self) {
             GpuStats stats = {};
             give(self, Command::gpu_query, stats);
             return stats;
           })
      .def(
          "gpu_set_quota",
          [](const Device& self, std::uint64_t agent, std::uint64_t limit, std::uint32_t mask) {
            kernel::GpuQuota quota = {};
            quota.agent_id = agent;
            quota.memory_limit = limit;
            quota.device_mask = mask;
            give(self, Command::gpu_set_quota, quota);
          },
          py::arg("agent"), py::arg("memory_limit"), py::arg("device_mask"))
      .def(
          "dma_check_perm",
          [](const Device& self, std::uint64_t agent, std::uint64_t address, std::uint64_t size,
             std::uint32_t access) {
            kernel::DmaCheck check = {};
            check.agent_id = agent;
            check.dma_addr = address;
            check.size = size;
            check.access_type = access;
            give(self, Command::dma_check_perm, check);
            return check.allowed;
          },
          py::arg("agent"), py::arg("address"), py::arg("size"), py::arg("access"))
      .def(
          "dma_grant_perm",
          [](const Device& self, std::uint64_t agent, std::uint64_t address, std::uint64_t size,
             std::uint32_t permissions) {
            kernel::DmaGrant grant = {};
            grant.agent_id = agent;
            grant.dma_addr = address;
            grant.size = size;
            grant.permissions = permissions;
            give(self, Command::dma_grant_perm, grant);
          },
          py::arg("agent"), py::arg("address"), py::arg("size"), py::arg("permissions"));
}

void register_tiers_of_kernel(py::class_<Device>& device) {
  device
      .def(
          "tier_stats",
          [](const Device& self, std::uint32_t tier) {
            TierStats stats = {};
            stats.tier = tier;
            give(self, Command::tier_stats, stats);
            return stats;
          },
          py::arg("tier"))
      .def(
          "tier_pressure",
          [](const Device& self, std::uint32_t tier) {
            MemoryPressure pressure = {};
            pressure.tier = tier;
            give(self, Command::tier_pressure, pressure);
            return pressure;
          },
          py::arg("tier"))
      .def(
          "tier_migrate",
          [](const Device& self, std::uint64_t agent, std::uint32_t from, std::uint32_t to,
             std::uint64_t pages) {
            kernel::MigrationRequest request = {};
            request.agent_id = agent;
            request.from_tier = from;
            request.to_tier = to;
            request.page_count = pages;
            give(self, Command::tier_migrate, request);
          },
          py::arg("agent"), py::arg("from_tier"), py::arg("to_tier"), py::arg("pages"));
}

constexpr Command kCommands[] = {
    Command::gpu_alloc,      Command::gpu_free,        Command::gpu_query,
    Command::gpu_set_quota,  Command::dma_check_perm,  Command::dma_grant_perm,
    Command::agent_create,   Command::agent_destroy,   Command::agent_query,
    Command::agent_set_ns,   Command::mount_setup,     Command::mount_teardown,
    Command::mount_add_bind, Command::mount_overlayfs, Command::tier_stats,
    Command::tier_pressure,  Command::tier_migrate,
};

Command command_named(const std::string& name) {
  for (const Command command : kCommands) {
    if (name == kernel::name_of(command)) {
      return command;
    }
  }
  throw std::invalid_argument("command: '" + name + "' is not a command of the kernel modules");
}

void register_kernel_operations(py::module_& module) {
  module.def(
      "command_operation",
      [](int descriptor, const std::string& command, bool free_by_pointer) {
        return operation_capsule(
            kernel::command_operation(descriptor, command_named(command), form_of(free_by_pointer)),
            py::none());
      },
      py::arg("descriptor"), py::arg("command"), py::arg("free_by_pointer"),
      "The capsule that gives a command to an open device.");
  module.def(
      "pipe_operation", [] { return operation_capsule(kernel::pipe_operation(), py::none()); },
      "The capsule that asks a pipe for its bytes (FIONREAD).");
  py::enum_<kernel::Syscall>(module, "Syscall", "System calls that are measured.",
                             py::module_local())
      .value("getpid", kernel::Syscall::getpid)
      .value("openat", kernel::Syscall::openat)
      .value("clone", kernel::Syscall::clone)
      .value("execve", kernel::Syscall::execve)
      .value("mmap", kernel::Syscall::mmap)
      .value("page_fault", kernel::Syscall::page_fault);
  module.def(
      "syscall_operation",
      [](kernel::Syscall call) {
        return operation_capsule(kernel::syscall_operation(call), py::none());
      },
      py::arg("call"), "The capsule that makes a system call.");
  py::enum_<kernel::NamespaceAction>(module, "NamespaceAction", "What is done with a namespace.",
                                     py::module_local())
      .value("create", kernel::NamespaceAction::create)
      .value("enter", kernel::NamespaceAction::enter)
      .value("exit", kernel::NamespaceAction::leave);
  module.def(
      "namespace_operation",
      [](const std::string& type, kernel::NamespaceAction action) {
        return operation_capsule(kernel::namespace_operation(type, action), py::none());
      },
      py::arg("type"), py::arg("action"),
      "The capsule that creates, enters or leaves a namespace.");
}

}  // namespace

void register_kernel(py::module_ module) {
  py::register_local_exception_translator(translate_command_error);
  register_replies(module);
  py::class_<Device> device(module, "Device", "Commands to an open device.", py::module_local());
  device.def(py::init<int>(), py::arg("descriptor"), "Does not own the descriptor.");
  register_agents(device);
  register_mounts(device);
  register_gpu(device);
  register_tiers_of_kernel(device);
  module.def(
      "command_words",
      [] {
        std::map<std::string, std::uint32_t> words;
        for (const Command command : kCommands) {
          words[kernel::name_of(command)] = static_cast<std::uint32_t>(command);
        }
        return words;
      },
      "The command word of each command, by name.");
  register_kernel_operations(module);
}

}  // namespace stratoperf::bindings
