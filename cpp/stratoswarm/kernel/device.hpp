// Commands to the device of a kernel module.
#pragma once

#include <cstdint>
#include <string>

#include "core/failure.hpp"
#include "stratoswarm/kernel/abi.hpp"

namespace stratoperf::kernel {

// The kernel refused a command.
class CommandError final : public Failure {
 public:
  CommandError(const char* command, int number);
  const char* command() const { return command_; }
  int number() const { return number_; }  // errno

 private:
  const char* command_;
  int number_;
};

// How GPU_FREE takes the allocation: its command word announces a pointer, and the published
// handler takes the id itself.
enum class FreeForm { value, pointer };

// An open device. Not the owner of the descriptor, which Python opened and checked.
class Device {
 public:
  explicit Device(int descriptor) : descriptor_(descriptor) {}
  int descriptor() const { return descriptor_; }

  // Each throws CommandError.
  std::uint64_t gpu_alloc(std::uint64_t agent, std::uint64_t size, std::uint32_t device,
                          std::uint32_t flags) const;
  void gpu_free(std::uint64_t allocation, FreeForm form) const;
  template <typename Structure>
  void call(Command command, Structure& argument) const {
    call_pointer(command, &argument);
  }

 private:
  void call_pointer(Command command, void* argument) const;

  int descriptor_;
};

// Copies a text with its terminating NUL into a field of zeros. Throws std::invalid_argument that
// names the argument when it does not fit or has a NUL within.
template <std::size_t kBytes>
void set_text(char (&field)[kBytes], const std::string& text, const char* argument);

}  // namespace stratoperf::kernel
