// Memory of a device, and memory of the host that a device can reach. Plain allocations only.
#pragma once

#include <cstddef>
#include <utility>

#include "cuda/device/device.hpp"
#include "cuda/device/stream.hpp"

namespace stratoperf::cuda {

// Memory on a device, undefined content. Freeing it waits for the device.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  // Throws OutOfMemory, and then nothing is allocated.
  DeviceMemory(DeviceId device, std::size_t bytes);
  DeviceMemory(DeviceMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~DeviceMemory();

  std::size_t bytes() const { return bytes_; }
  template <typename T = unsigned char>
  T* data() const {
    return static_cast<T*>(data_);
  }

  // Queues zeroing all of it, or the first `bytes`.
  void clear(const Stream& stream) const { clear(stream, bytes_); }
  void clear(const Stream& stream, std::size_t bytes) const;

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// Page-locked memory of the host, mapped into the device: both read and write it in place. Zeroed.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  // Throws OutOfMemory, and then nothing is allocated.
  PinnedMemory(DeviceId device, std::size_t bytes);
  PinnedMemory(PinnedMemory&& other) noexcept
      : host_(std::exchange(other.host_, nullptr)),
        device_(std::exchange(other.device_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  PinnedMemory& operator=(PinnedMemory&& other) noexcept {
    std::swap(host_, other.host_);
    std::swap(device_, other.device_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~PinnedMemory();

  std::size_t bytes() const { return bytes_; }
  template <typename T = unsigned char>
  T* host() const {
    return static_cast<T*>(host_);
  }
  template <typename T = unsigned char>
  T* device() const {
    return static_cast<T*>(device_);
  }

 private:
  void* host_ = nullptr;
  void* device_ = nullptr;
  std::size_t bytes_ = 0;
};

// Memory of the host that others own, page-locked as long as this lives: a device copies from and
// to it by itself. The memory must outlive it.
class RegisteredMemory {
 public:
  // Throws OutOfMemory, or Error where the system refuses to lock it.
  RegisteredMemory(DeviceId device, void* data, std::size_t bytes);
  RegisteredMemory(RegisteredMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)) {}
  RegisteredMemory& operator=(RegisteredMemory&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~RegisteredMemory();

 private:
  void* data_ = nullptr;
};

}  // namespace stratoperf::cuda
