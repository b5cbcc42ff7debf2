#include "stratoswarm/kernel/command_operation.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <exception>
#include <functional>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "stratoswarm/memory/handles.hpp"

namespace stratoperf::kernel {
namespace {

using memory::Descriptor;

// Commands of one batch at most: each may need an agent of its own.
constexpr std::uint64_t kLargestBatch = 4096;

constexpr std::uint64_t kBlock = 4096;  // bytes of an allocation
constexpr std::uint64_t kQuota = 2 * kLargestBatch * kBlock;
constexpr std::uint64_t kAgentMemory = std::uint64_t{256} << 20;
constexpr std::uint32_t kRead = 1;
constexpr std::uint32_t kUts = 0x08;
constexpr std::uint32_t kReadOnly = 1;
constexpr std::uint32_t kCpuTier = 1;
constexpr std::uint32_t kNvmeTier = 2;

// The timed loop, for any command whose argument is a pointer. It is written as one would by hand:
// peers.py holds it to that.
std::uint64_t give(int descriptor, unsigned long word, std::span<std::byte> arguments,
                   std::size_t size) {
  std::uint64_t given = 0;
  for (std::byte* argument = arguments.data(); argument != arguments.data() + arguments.size();
       argument += size) {
    if (ioctl(descriptor, word, argument) != 0) {
      break;
    }
    ++given;
  }
  return given;
}

template <typename Argument>
struct Steps {
  // Fills an argument, for which it may give other commands.
  std::function<void(Argument&)> fill;
  // Whether the reply is right; undoes the effect.
  std::function<bool(const Argument&)> check;
};

// Arguments of one type, as their bytes: one loop, compiled once, gives all commands.
struct ArgumentType {
  std::size_t size;
  std::function<void(std::byte*)> fill;
  std::function<bool(const std::byte*)> check;
};

template <typename Argument>
ArgumentType without_type(Steps<Argument> steps) {
  static_assert(alignof(Argument) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  return {sizeof(Argument),
          [fill = std::move(steps.fill)](std::byte* bytes) {
            Argument* argument = new (bytes) Argument();  // zero in all bytes: nothing has holes
            fill(*argument);
          },
          [check = std::move(steps.check)](const std::byte* bytes) {
            return check(*reinterpret_cast<const Argument*>(bytes));
          }};
}

class CommandOperation final : public Operation {
 public:
  CommandOperation(Descriptor descriptor, unsigned long word, const char* name, bool by_value,
                   ArgumentType type)
      : descriptor_(std::move(descriptor)),
        word_(word),
        name_(name),
        by_value_(by_value),
        type_(std::move(type)) {}

  ~CommandOperation() override {
    try {
      finish();
    } catch (const std::exception&) {
      ++wrong_;  // the module is going away: nothing is left to undo
    }
  }

  void prepare(std::uint64_t n) override {
    if (n > kLargestBatch) {
      throw std::invalid_argument("batch: a batch of " + std::to_string(n) +
                                  " commands is larger than " + std::to_string(kLargestBatch) +
                                  "; measure with a smaller one");
    }
    finish();
    // All at once: what is filled must not move.
    arguments_.reserve(n * type_.size);
    for (std::uint64_t i = 0; i < n; ++i) {
      arguments_.resize((i + 1) * type_.size);
      try {
        type_.fill(arguments_.data() + i * type_.size);
      } catch (...) {
        arguments_.resize(i * type_.size);
        throw;
      }
    }
    given_ = 0;
  }

  void run(std::uint64_t /*n*/) override {
    given_ = by_value_ ? give_values() : give(descriptor_.number(), word_, arguments_, type_.size);
    if (given_ != arguments_.size() / type_.size) {
      throw CommandError(name_, errno);
    }
  }

  Verification verify() override {
    finish();
    if (wrong_ > 0) {
      return {checked_, false,
              std::to_string(wrong_) + " of " + std::to_string(checked_) + " replies to " + name_ +
                  " are wrong, or their effect could not be undone"};
    }
    return {checked_, true};
  }

 private:
  // Of a command whose argument is a number, not a pointer to it.
  std::uint64_t give_values() {
    std::uint64_t given = 0;
    std::uint64_t value = 0;
    for (std::size_t at = 0; at < arguments_.size(); at += sizeof value) {
      std::memcpy(&value, arguments_.data() + at, sizeof value);
      if (ioctl(descriptor_.number(), word_, value) != 0) {
        break;
      }
      ++given;
    }
    return given;
  }

  // Of those that were prepared and not given, only the effect is undone.
  void finish() {
    const std::vector<std::byte> arguments = std::exchange(arguments_, {});
    const std::uint64_t given = std::exchange(given_, 0);
    std::uint64_t number = 0;
    for (std::size_t at = 0; at < arguments.size(); at += type_.size) {
      const bool is_right = type_.check(arguments.data() + at);
      if (number++ < given) {
        ++checked_;
        wrong_ += is_right ? 0 : 1;
      }
    }
  }

  Descriptor descriptor_;
  unsigned long word_;
  const char* name_;
  bool by_value_;
  ArgumentType type_;
  std::vector<std::byte> arguments_ = {};
  std::uint64_t given_ = 0;
  std::uint64_t checked_ = 0;
  std::uint64_t wrong_ = 0;
};

bool succeeds(const std::function<void()>& command) {
  try {
    command();
    return true;
  } catch (const CommandError&) {
    return false;
  }
}

std::uint64_t create_agent(const Device& device) {
  AgentConfig config = {};
  set_text(config.name, "stratoperf", "name");
  config.memory_limit = kAgentMemory;
  config.cpu_quota = 100;
  device.call(Command::agent_create, config);
  return config.agent_id;
}

bool give_id(const Device& device, Command command, std::uint64_t id) {
  return succeeds([&] { device.call(command, id); });
}

void set_up_mounts(const Device& device, std::uint64_t agent) {
  auto mount = std::make_unique<Mount>();
  mount->agent_id = agent;
  mount->private_mounts = 1;
  device.call(Command::mount_setup, *mount);
}

std::uint64_t create_with_mounts(const Device& device) {
  const std::uint64_t agent = create_agent(device);
  try {
    set_up_mounts(device, agent);
  } catch (...) {
    give_id(device, Command::agent_destroy, agent);
    throw;
  }
  return agent;
}

bool take_down(const Device& device, std::uint64_t agent) {
  const bool is_down = give_id(device, Command::mount_teardown, agent);
  return give_id(device, Command::agent_destroy, agent) && is_down;
}

// An agent that all iterations share.
class SharedAgent {
 public:
  explicit SharedAgent(const Device& device) : device_(device), id_(create_agent(device)) {}
  SharedAgent(const SharedAgent&) = delete;
  SharedAgent& operator=(const SharedAgent&) = delete;
  ~SharedAgent() { give_id(device_, Command::agent_destroy, id_); }
  std::uint64_t id() const { return id_; }

 private:
  Device device_;
  std::uint64_t id_;
};

// The quota of an agent that no other process uses; a limit of zero gives it up.
class SharedQuota {
 public:
  explicit SharedQuota(const Device& device)
      : device_(device),
        agent_((std::uint64_t{0x5350} << 48) | static_cast<std::uint64_t>(getpid())) {
    set(kQuota);
  }
  SharedQuota(const SharedQuota&) = delete;
  SharedQuota& operator=(const SharedQuota&) = delete;
  ~SharedQuota() {
    static_cast<void>(succeeds([this] { set(0); }));
  }
  std::uint64_t agent() const { return agent_; }

 private:
  void set(std::uint64_t limit) const {
    GpuQuota quota = {.agent_id = agent_,
                      .memory_limit = limit,
                      .device_mask = limit == 0 ? 0U : 1U,
                      .padding = 0};
    device_.call(Command::gpu_set_quota, quota);
  }

  Device device_;
  std::uint64_t agent_;
};

// Makes the operation of a command; the parts have the descriptor in common.
class Maker {
 public:
  Maker(int descriptor, Command command)
      : descriptor_(fcntl(descriptor, F_DUPFD_CLOEXEC, 0)),
        device_(descriptor_.number()),
        command_(command) {
    if (!descriptor_) {
      throw CommandError(name_of(command), errno);
    }
  }

  std::unique_ptr<Operation> agent();
  std::unique_ptr<Operation> mounts();
  std::unique_ptr<Operation> gpu(FreeForm form);
  std::unique_ptr<Operation> dma();
  std::unique_ptr<Operation> tiers();

 private:
  template <typename Argument>
  std::unique_ptr<Operation> make(Steps<Argument> steps, bool by_value = false) {
    return std::make_unique<CommandOperation>(
        std::move(descriptor_), static_cast<unsigned long>(command_), name_of(command_), by_value,
        without_type(std::move(steps)));
  }

  Descriptor descriptor_;
  Device device_;
  Command command_;
};

std::unique_ptr<Operation> Maker::agent() {
  const Device device = device_;
  if (command_ == Command::agent_create) {
    return make<AgentConfig>({[](AgentConfig& config) {
                                set_text(config.name, "stratoperf", "name");
                                config.memory_limit = kAgentMemory;
                                config.cpu_quota = 100;
                              },
                              [device](const AgentConfig& config) {
                                return config.agent_id != 0 &&
                                       give_id(device, Command::agent_destroy, config.agent_id);
                              }});
  }
  if (command_ == Command::agent_destroy) {
    return make<std::uint64_t>({[device](std::uint64_t& id) { id = create_agent(device); },
                                [device](const std::uint64_t& id) {
                                  // It is gone: destroying it again has to fail. Those that were
                                  // left go now.
                                  return !give_id(device, Command::agent_destroy, id);
                                }});
  }
  const auto shared = std::make_shared<SharedAgent>(device);
  if (command_ == Command::agent_query) {
    return make<AgentQuery>({[shared](AgentQuery& query) { query.agent_id = shared->id(); },
                             [shared](const AgentQuery& query) {
                               return query.agent_id == shared->id() && query.state <= 3 &&
                                      query.padding == 0;
                             }});
  }
  return make<NamespaceConfig>({[shared](NamespaceConfig& config) {
                                  config.agent_id = shared->id();
                                  config.namespace_flags = kUts;
                                },
                                [](const NamespaceConfig&) { return true; }});
}

std::unique_ptr<Operation> Maker::mounts() {
  const Device device = device_;
  switch (command_) {
    case Command::mount_setup:
      return make<Mount>(
          {[device](Mount& mount) {
             mount.agent_id = create_agent(device);
             mount.private_mounts = 1;
           },
           [device](const Mount& mount) { return take_down(device, mount.agent_id); }});
    case Command::mount_teardown:
      return make<std::uint64_t>({[device](std::uint64_t& id) { id = create_with_mounts(device); },
                                  [device](const std::uint64_t& id) {
                                    return give_id(device, Command::agent_destroy, id);
                                  }});
    case Command::mount_add_bind:
      return make<BindMount>(
          {[device](BindMount& bind) {
             bind.agent_id = create_with_mounts(device);
             set_text(bind.source, "/usr", "source");
             set_text(bind.target, "/usr", "target");
             bind.flags = kReadOnly;
           },
           [device](const BindMount& bind) { return take_down(device, bind.agent_id); }});
    default:
      return make<Overlayfs>(
          {[device](Overlayfs& overlay) {
             overlay.agent_id = create_with_mounts(device);
             set_text(overlay.lower, "/lower", "lower");
             set_text(overlay.upper, "/upper", "upper");
             set_text(overlay.work, "/work", "work");
             set_text(overlay.merged, "/merged", "merged");
           },
           [device](const Overlayfs& overlay) { return take_down(device, overlay.agent_id); }});
  }
}

std::unique_ptr<Operation> Maker::gpu(FreeForm form) {
  const Device device = device_;
  if (command_ == Command::gpu_query) {
    return make<GpuStats>({[](GpuStats&) {},
                           [](const GpuStats& stats) {
                             return stats.total_memory > 0 &&
                                    stats.used_memory <= stats.total_memory;
                           }});
  }
  const auto shared = std::make_shared<SharedQuota>(device);
  if (command_ == Command::gpu_set_quota) {
    return make<GpuQuota>({[shared](GpuQuota& quota) {
                             quota.agent_id = shared->agent();
                             quota.memory_limit = kQuota;
                             quota.device_mask = 1;
                           },
                           [](const GpuQuota&) { return true; }});
  }
  if (command_ == Command::gpu_alloc) {
    return make<GpuAlloc>({[shared](GpuAlloc& request) {
                             request.agent_id = shared->agent();
                             request.size = kBlock;
                           },
                           [device, form, shared](const GpuAlloc& reply) {
                             return reply.alloc_id != 0 &&
                                    succeeds([&] { device.gpu_free(reply.alloc_id, form); });
                           }});
  }
  return make<std::uint64_t>({[device, shared](std::uint64_t& id) {
                                id = device.gpu_alloc(shared->agent(), kBlock, 0, 0);
                              },
                              [device, form](const std::uint64_t& id) {
                                return !succeeds([&] { device.gpu_free(id, form); });
                              }},
                             form == FreeForm::value);
}

std::unique_ptr<Operation> Maker::dma() {
  const auto shared = std::make_shared<SharedQuota>(device_);
  constexpr std::uint64_t kAllowed = std::uint64_t{1} << 32;
  constexpr std::uint64_t kForbidden = std::uint64_t{1} << 40;
  DmaGrant grant = {.agent_id = shared->agent(),
                    .dma_addr = kAllowed,
                    .size = kBlock,
                    .permissions = kRead,
                    .padding = 0};
  if (command_ == Command::dma_grant_perm) {
    return make<DmaGrant>({[grant, shared](DmaGrant& request) { request = grant; },
                           [](const DmaGrant&) { return true; }});
  }
  device_.call(Command::dma_grant_perm, grant);
  // Every second check has to be denied.
  const auto count = std::make_shared<std::uint64_t>(0);
  return make<DmaCheck>({[shared, count](DmaCheck& check) {
                           check.agent_id = shared->agent();
                           check.dma_addr = (*count)++ % 2 == 0 ? kAllowed : kForbidden;
                           check.size = kBlock;
                           check.access_type = kRead;
                         },
                         [](const DmaCheck& check) {
                           return check.allowed == (check.dma_addr == kAllowed ? 1U : 0U);
                         }});
}

std::unique_ptr<Operation> Maker::tiers() {
  if (command_ == Command::tier_stats) {
    return make<TierStats>({[](TierStats& stats) { stats.tier = kCpuTier; },
                            [](const TierStats& stats) {
                              return stats.tier == kCpuTier && stats.padding == 0 &&
                                     stats.used_pages <= stats.total_pages;
                            }});
  }
  if (command_ == Command::tier_pressure) {
    return make<MemoryPressure>({[](MemoryPressure& pressure) { pressure.tier = kCpuTier; },
                                 [](const MemoryPressure& pressure) {
                                   return pressure.tier == kCpuTier &&
                                          pressure.pressure_level <= 100;
                                 }});
  }
  // There and back in turns, so that no tier is drained.
  const Device device = device_;
  const auto count = std::make_shared<std::uint64_t>(0);
  return make<MigrationRequest>({[device, count](MigrationRequest& request) {
                                   const bool is_back = (*count)++ % 2 == 1;
                                   request.agent_id = 0;
                                   request.from_tier = is_back ? kNvmeTier : kCpuTier;
                                   request.to_tier = is_back ? kCpuTier : kNvmeTier;
                                   request.page_count = 1;
                                 },
                                 [](const MigrationRequest&) { return true; }});
}

// Bytes that the pipe holds: more than a byte, so that a flag in its place would be noticed.
constexpr int kPipeBytes = 1234;

class PipeOperation final : public Operation {
 public:
  PipeOperation() {
    std::array<int, 2> ends = {-1, -1};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
      throw CommandError("pipe", errno);
    }
    read_ = Descriptor(ends[0]);
    write_ = Descriptor(ends[1]);
    const std::array<char, kPipeBytes> content = {};
    if (write(write_.number(), content.data(), content.size()) != kPipeBytes) {
      throw CommandError("write to a pipe", errno);
    }
  }

  void prepare(std::uint64_t n) override {
    count();
    replies_.assign(static_cast<std::size_t>(n), -1);
  }

  void run(std::uint64_t /*n*/) override {
    given_ =
        give(read_.number(), FIONREAD, std::as_writable_bytes(std::span(replies_)), sizeof(int));
    if (given_ != replies_.size()) {
      throw CommandError("FIONREAD", errno);
    }
  }

  Verification verify() override {
    count();
    return {checked_, wrong_ == 0,
            wrong_ == 0 ? std::string()
                        : std::to_string(wrong_) + " of " + std::to_string(checked_) +
                              " replies to FIONREAD are not the bytes in the pipe"};
  }

 private:
  void count() {
    for (std::uint64_t i = 0; i < given_; ++i) {
      wrong_ += replies_[i] == kPipeBytes ? 0 : 1;
    }
    checked_ += std::exchange(given_, 0);
  }

  Descriptor read_ = {};
  Descriptor write_ = {};
  std::vector<int> replies_ = {};
  std::uint64_t given_ = 0;
  std::uint64_t checked_ = 0;
  std::uint64_t wrong_ = 0;
};

}  // namespace

std::unique_ptr<Operation> command_operation(int descriptor, Command command, FreeForm form) {
  Maker maker(descriptor, command);
  switch (command) {
    case Command::gpu_alloc:
    case Command::gpu_free:
    case Command::gpu_query:
    case Command::gpu_set_quota:
      return maker.gpu(form);
    case Command::dma_check_perm:
    case Command::dma_grant_perm:
      return maker.dma();
    case Command::agent_create:
    case Command::agent_destroy:
    case Command::agent_query:
    case Command::agent_set_ns:
      return maker.agent();
    case Command::mount_setup:
    case Command::mount_teardown:
    case Command::mount_add_bind:
    case Command::mount_overlayfs:
      return maker.mounts();
    case Command::tier_stats:
    case Command::tier_pressure:
    case Command::tier_migrate:
      return maker.tiers();
  }
  throw std::invalid_argument("command: it is not one of the binary interface");
}

std::unique_ptr<Operation> pipe_operation() { return std::make_unique<PipeOperation>(); }

}  // namespace stratoperf::kernel
