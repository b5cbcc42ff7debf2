// Owners of what the kernel hands out: file descriptors and mappings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace stratoperf::memory {

// What every block, chunk and offset is a multiple of: the page of the processors served here, and
// the alignment that direct I/O wants at most.
constexpr std::uint64_t kPage = 4096;

constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20;

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// Owns a mapping.
class Mapping {
 public:
  Mapping() = default;
  // Takes what mmap returned.
  Mapping(void* address, std::uint64_t size)
      : address_(static_cast<std::byte*>(address)), size_(size) {}
  Mapping(Mapping&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Mapping();

  // Private anonymous memory of at least `size` bytes whose address is a multiple of `alignment`
  // (a power of two of pages). No page of it exists yet. Throws TierError when it is refused.
  static Mapping reserve(std::uint64_t size, std::uint64_t alignment = kPage);

  std::byte* data() const { return address_; }
  std::uint64_t size() const { return size_; }
  std::span<std::byte> bytes() const { return {address_, static_cast<std::size_t>(size_)}; }

 private:
  std::byte* address_ = nullptr;
  std::uint64_t size_ = 0;
};

// Makes the pages of a range exist, so that the next writer meets no page fault. Throws TierError
// when there is no memory.
void populate(std::span<std::byte> range);

}  // namespace stratoperf::memory
