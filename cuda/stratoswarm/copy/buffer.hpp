// Memory that copies go from and to, and what it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "cuda/device/device.hpp"
#include "cuda/device/memory.hpp"
#include "cuda/device/stream.hpp"

namespace stratoperf::cuda::copy {

enum class Place : std::uint8_t {
  kDevice,
  kPinned,    // page-locked memory of the host: the device copies by itself
  kPageable,  // ordinary memory of the host: the driver copies through page-locked memory of its
              // own
};

// What buffers are aligned to, and offsets into content are multiples of.
inline constexpr std::size_t kPage = 4096;

class Buffer {
 public:
  // Every page of it is touched. Throws OutOfMemory.
  Buffer(Place place, DeviceId device, std::size_t bytes);

  unsigned char* data() const { return data_; }

  // Fills it with the content of a seed: pseudo-random, different at every offset.
  void fill(std::uint64_t seed, const Stream& stream) const;

  // Fills it with what no content is.
  void poison(const Stream& stream) const;

  // Whether `bytes` at `offset` are those of the seed's content at `content_offset`.
  bool holds(std::size_t offset, std::size_t bytes, std::uint64_t seed, std::size_t content_offset,
             const Stream& stream) const;

 private:
  struct Free {
    void operator()(unsigned char* data) const { std::free(data); }
  };

  void write(std::size_t offset, const unsigned char* from, std::size_t bytes,
             const Stream& stream) const;

  Place place_;
  std::size_t bytes_;
  DeviceMemory device_ = {};
  PinnedMemory pinned_ = {};
  std::unique_ptr<unsigned char, Free> pageable_ = nullptr;
  unsigned char* data_ = nullptr;
};

}  // namespace stratoperf::cuda::copy
