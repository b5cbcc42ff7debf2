// How the host hands requests to kernels, and learns that they are answered, without a call of the
// driver: through words in mapped host memory.
//
// A request is one word, so that a kernel that polls learns all of it in one round trip over the
// bus; whatever does not change from request to request is an argument of the kernel. The kernel
// answers by storing the same word where the host polls. The host does so for kernels that were
// launched for one request, too: it is cheaper than waiting for their stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/host_device.hpp"
#include "cuda/device/memory.hpp"
#include "cuda/device/stream.hpp"

namespace stratoperf::cuda {

// A word on a line of its own, as wide as the device's caches fetch.
struct alignas(128) MailboxWord {
  std::uint64_t value;
};

// What the host and a kernel share. Every word has one writer.
struct Mailbox {
  MailboxWord request;  // the host: the last one, or kStopRequest
  MailboxWord answer;   // the kernel: the last request that it finished
  MailboxWord exited;   // a persistent kernel, as its last act: the number it was started with
};

// A request: sequence (8 bits, 1 to 255 in a circle, so that it is never 0 and never that of the
// request before), slot (24 bits), count (32 bits).
STRATOPERF_HOST_DEVICE std::uint64_t make_request(std::uint32_t sequence, std::uint32_t slot,
                                                  std::uint32_t count) {
  return std::uint64_t{sequence} << 56 | std::uint64_t{slot} << 32 | count;
}
STRATOPERF_HOST_DEVICE std::uint32_t request_slot(std::uint64_t request) {
  return static_cast<std::uint32_t>(request >> 32) & 0xffffffu;
}
STRATOPERF_HOST_DEVICE std::uint32_t request_count(std::uint64_t request) {
  return static_cast<std::uint32_t>(request);
}

inline constexpr std::uint32_t kMaxSlots = 1u << 24;

// Tells a persistent kernel to end. No request: its sequence is 0.
inline constexpr std::uint64_t kStopRequest = 1;

// How long a persistent kernel lives before whoever still needs it starts it again: a host that
// falls silent, or dies, leaves nothing spinning on the device, and whoever frees memory there,
// which waits for all kernels, is not held up for longer. Starting one takes some 10 us.
inline constexpr std::uint64_t kLifeNanoseconds = 1'000'000'000;

// Asked now and then whether to end early; may be empty.
using Stop = std::function<bool()>;

// The host's side. One request at a time; for one thread at a time.
class Doorbell {
 public:
  // Starts a persistent kernel in the stream: it regards `handled` as answered and stores `number`
  // in `exited` when it ends.
  using Start = std::function<void(std::uint64_t handled, std::uint64_t number)>;

  // The kernels run in this stream, which must outlive the doorbell.
  explicit Doorbell(const Stream& stream);
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;
  // Stops a persistent kernel and waits for the stream.
  ~Doorbell();

  // The mailbox, as kernels address it.
  Mailbox* mailbox() const { return memory_.device<Mailbox>(); }

  // Has a persistent kernel serve all requests from now on. It is started again whenever it has
  // ended by itself.
  void serve(Start start);
  // Stops it, and waits until it has ended. Nothing happens without one.
  void dismiss();
  // Tells it to end, and waits for nothing: for when it is not known whether there will be another
  // request. One that comes is served.
  void rest() noexcept;
  bool serves() const { return start_ != nullptr; }

  // Makes a request and returns it. None may be in flight.
  std::uint64_t ring(std::uint32_t slot, std::uint32_t count);

  // Waits for the answer: true once it is there, false when `stop` said so, and then the request
  // stays in flight. Throws Error when the device or the kernel failed, and when the kernel ended
  // without an answer; the request is then given up.
  bool wait(const Stop& stop);

  bool in_flight() const { return request_ != handled_; }

  // For a request that no kernel was started for after all.
  void give_up() { handled_ = request_; }

 private:
  Mailbox& words() const { return *memory_.host<Mailbox>(); }
  bool answered();
  void start();
  void look_after_kernel();

  const Stream& stream_;
  PinnedMemory memory_;
  Start start_ = nullptr;
  std::uint64_t number_ = 0;   // of the persistent kernel that was started last
  std::uint64_t request_ = 0;  // the last one
  std::uint64_t handled_ = 0;  // the last one that was answered or given up
  std::uint32_t sequence_ = 0;
};

}  // namespace stratoperf::cuda
