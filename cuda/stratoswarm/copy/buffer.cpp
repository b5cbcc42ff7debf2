#include "cuda/stratoswarm/copy/buffer.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "cuda/device/error.hpp"

namespace stratoperf::cuda::copy {
namespace {

// What is made up or compared at a time, so that checking 1 GiB does not take another one.
constexpr std::size_t kChunk = std::size_t{1} << 20;

constexpr int kPoison = 0xdb;

// Bytes of the content of a seed, from an offset that is a multiple of 8: the outputs of SplitMix64
// (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014), which can be
// computed from anywhere on.
void make_content(std::uint64_t seed, std::size_t offset, std::size_t bytes, unsigned char* to) {
  constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15;
  std::uint64_t state = seed + kGamma * (offset / sizeof(std::uint64_t));
  while (bytes > 0) {
    state += kGamma;
    std::uint64_t word = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    word ^= word >> 31;
    const std::size_t some = std::min(bytes, sizeof word);
    std::memcpy(to, &word, some);
    to += some;
    bytes -= some;
  }
}

// Calls handle(offset, bytes) for one chunk of `bytes` after another.
template <typename Handle>
void in_chunks(std::size_t bytes, Handle&& handle) {
  for (std::size_t offset = 0; offset < bytes; offset += kChunk) {
    handle(offset, std::min(kChunk, bytes - offset));
  }
}

}  // namespace

Buffer::Buffer(Place place, DeviceId device, std::size_t bytes) : place_(place), bytes_(bytes) {
  if (place == Place::kDevice) {
    device_ = DeviceMemory(device, bytes);
    data_ = device_.data();
  } else if (place == Place::kPinned) {
    pinned_ = PinnedMemory(device, bytes);
    data_ = pinned_.host();
  } else {
    const std::size_t whole_pages = (bytes + kPage - 1) / kPage * kPage;
    pageable_.reset(static_cast<unsigned char*>(std::aligned_alloc(kPage, whole_pages)));
    if (pageable_ == nullptr) {
      check(cudaErrorMemoryAllocation, "aligned_alloc", bytes);
    }
    data_ = pageable_.get();
    std::memset(data_, 0, bytes);
  }
}

void Buffer::fill(std::uint64_t seed, const Stream& stream) const {
  std::vector<unsigned char> chunk(std::min(kChunk, bytes_));
  in_chunks(bytes_, [&](std::size_t offset, std::size_t some) {
    make_content(seed, offset, some, chunk.data());
    write(offset, chunk.data(), some, stream);
  });
}

void Buffer::poison(const Stream& stream) const {
  if (place_ != Place::kDevice) {
    std::memset(data_, kPoison, bytes_);
    return;
  }
  check(cudaMemsetAsync(data_, kPoison, bytes_, stream.get()), "cudaMemsetAsync", bytes_);
  stream.synchronize();
}

bool Buffer::holds(std::size_t offset, std::size_t bytes, std::uint64_t seed,
                   std::size_t content_offset, const Stream& stream) const {
  std::vector<unsigned char> expected(std::min(kChunk, bytes));
  std::vector<unsigned char> found(place_ == Place::kDevice ? expected.size() : 0);
  bool equal = true;
  in_chunks(bytes, [&](std::size_t at, std::size_t some) {
    make_content(seed, content_offset + at, some, expected.data());
    const unsigned char* there = data_ + offset + at;
    if (place_ == Place::kDevice) {
      check(cudaMemcpyAsync(found.data(), there, some, cudaMemcpyDeviceToHost, stream.get()),
            "cudaMemcpyAsync from the device", some);
      stream.synchronize();
      there = found.data();
    }
    equal = equal && std::memcmp(there, expected.data(), some) == 0;
  });
  return equal;
}

void Buffer::write(std::size_t offset, const unsigned char* from, std::size_t bytes,
                   const Stream& stream) const {
  if (place_ != Place::kDevice) {
    std::memcpy(data_ + offset, from, bytes);
    return;
  }
  check(cudaMemcpyAsync(data_ + offset, from, bytes, cudaMemcpyHostToDevice, stream.get()),
        "cudaMemcpyAsync to the device", bytes);
  stream.synchronize();
}

}  // namespace stratoperf::cuda::copy
