#include "stratoswarm/kernel/device.hpp"

#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace stratoperf::kernel {

const char* name_of(Command command) {
  switch (command) {
    case Command::gpu_alloc:
      return "GPU_ALLOC";
    case Command::gpu_free:
      return "GPU_FREE";
    case Command::gpu_query:
      return "GPU_QUERY";
    case Command::gpu_set_quota:
      return "GPU_SET_QUOTA";
    case Command::dma_check_perm:
      return "DMA_CHECK_PERM";
    case Command::dma_grant_perm:
      return "DMA_GRANT_PERM";
    case Command::agent_create:
      return "AGENT_CREATE";
    case Command::agent_destroy:
      return "AGENT_DESTROY";
    case Command::agent_query:
      return "AGENT_QUERY";
    case Command::agent_set_ns:
      return "AGENT_SET_NS";
    case Command::mount_setup:
      return "MOUNT_SETUP";
    case Command::mount_teardown:
      return "MOUNT_TEARDOWN";
    case Command::mount_add_bind:
      return "MOUNT_ADD_BIND";
    case Command::mount_overlayfs:
      return "MOUNT_OVERLAYFS";
    case Command::tier_stats:
      return "TIER_STATS";
    case Command::tier_pressure:
      return "TIER_PRESSURE";
    case Command::tier_migrate:
      return "TIER_MIGRATE";
  }
  return "unknown";
}

CommandError::CommandError(const char* command, int number)
    : Failure(std::string(command) + ": " + std::generic_category().message(number) + " (errno " +
              std::to_string(number) + ")"),
      command_(command),
      number_(number) {}

void Device::call_pointer(Command command, void* argument) const {
  if (ioctl(descriptor_, static_cast<unsigned long>(command), argument) != 0) {
    throw CommandError(name_of(command), errno);
  }
}

std::uint64_t Device::gpu_alloc(std::uint64_t agent, std::uint64_t size, std::uint32_t device,
                                std::uint32_t flags) const {
  GpuAlloc request = {
      .agent_id = agent, .size = size, .device_id = device, .flags = flags, .alloc_id = 0};
  call(Command::gpu_alloc, request);
  return request.alloc_id;
}

void Device::gpu_free(std::uint64_t allocation, FreeForm form) const {
  if (form == FreeForm::pointer) {
    call(Command::gpu_free, allocation);
  } else if (ioctl(descriptor_, static_cast<unsigned long>(Command::gpu_free), allocation) != 0) {
    throw CommandError(name_of(Command::gpu_free), errno);
  }
}

template <std::size_t kBytes>
void set_text(char (&field)[kBytes], const std::string& text, const char* argument) {
  if (text.size() >= kBytes) {
    throw std::invalid_argument(std::string(argument) + ": expected at most " +
                                std::to_string(kBytes - 1) + " bytes of UTF-8, got " +
                                std::to_string(text.size()) + "; shorten it");
  }
  if (text.find('\0') != std::string::npos) {
    throw std::invalid_argument(std::string(argument) +
                                ": the text has a NUL, where the kernel would end it; remove it");
  }
  std::memcpy(field, text.data(), text.size());
}

template void set_text(char (&field)[kNameBytes], const std::string& text, const char* argument);
template void set_text(char (&field)[kPathBytes], const std::string& text, const char* argument);

}  // namespace stratoperf::kernel
