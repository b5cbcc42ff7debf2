// The operation whose faults a thread serves through userfaultfd.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "stratoswarm/memory/fault_count.hpp"
#include "stratoswarm/memory/fault_operation.hpp"

namespace stratoperf::memory {
namespace {

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

// Faults of user mode are all that is wanted, and all that an ordinary user may serve.
Descriptor open_userfaultfd() {
  Descriptor faults(
      static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY)));
  if (!faults) {
    throw TierError("the kernel refuses userfaultfd: " + reason_of(errno));
  }
  uffdio_api api = {};
  api.api = UFFD_API;
  if (ioctl(faults.number(), UFFDIO_API, &api) != 0) {
    throw TierError("this kernel has another version of userfaultfd: " + reason_of(errno));
  }
  return faults;
}

// Gives each page of the lower tier its tag.
void fill(Tier& tier, const Extent& extent) {
  const Mapping buffer = Mapping::reserve(extent.size);
  for (std::uint64_t page = 0; page < kFaultPages; ++page) {
    *reinterpret_cast<std::uint64_t*>(buffer.data() + page * kPage) = fault_tag(page);
  }
  const std::array<iovec, 1> whole = {iovec{buffer.data(), static_cast<std::size_t>(extent.size)}};
  tier.write(extent.offset, whole);
  tier.flush();
}

}  // namespace

ServedFaultOperation::ServedFaultOperation(std::shared_ptr<Tier> lower)
    : lower_(std::move(lower)),
      region_(Mapping::reserve(kFaultPages * kPage)),
      faults_(open_userfaultfd()),
      quit_(eventfd(0, EFD_CLOEXEC)) {
  if (!quit_) {
    throw TierError("cannot make an event: " + reason_of(errno));
  }
  madvise(region_.data(), region_.size(), MADV_NOHUGEPAGE);
  uffdio_register registration = {};
  registration.range = {reinterpret_cast<std::uintptr_t>(region_.data()), region_.size()};
  registration.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (ioctl(faults_.number(), UFFDIO_REGISTER, &registration) != 0) {
    throw TierError("userfaultfd rejects the memory region: " + reason_of(errno));
  }
  extent_ = lower_->allocate(kFaultPages * kPage);
  try {
    fill(*lower_, extent_);
    server_ = std::thread([this] { serve(); });
  } catch (...) {
    lower_->release(extent_);
    throw;
  }
}

ServedFaultOperation::~ServedFaultOperation() {
  if (!process_.is_this()) {
    // The thread is not here, and the event would end that of the parent.
    server_.detach();
    return;
  }
  const std::uint64_t one = 1;
  static_cast<void>(write(quit_.number(), &one, sizeof(one)) == sizeof(one));
  server_.join();
  lower_->release(extent_);
}

void ServedFaultOperation::serve() {
  const Mapping buffer = Mapping::reserve(kPage);
  std::array<pollfd, 2> waiting = {pollfd{faults_.number(), POLLIN, 0},
                                   pollfd{quit_.number(), POLLIN, 0}};
  for (;;) {
    if (poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) {
      return;
    }
    if ((waiting[1].revents & POLLIN) != 0) {
      return;
    }
    uffd_msg message = {};
    if (read(faults_.number(), &message, sizeof(message)) == sizeof(message) &&
        message.event == UFFD_EVENT_PAGEFAULT) {
      serve_one(message.arg.pagefault.address & ~(kPage - 1), buffer.data());
    }
  }
}

void ServedFaultOperation::serve_one(std::uint64_t address, std::byte* buffer) {
  const std::uint64_t start = reinterpret_cast<std::uintptr_t>(region_.data());
  try {
    const std::array<iovec, 1> page = {iovec{buffer, kPage}};
    lower_->read(extent_.offset + (address - start), page);
    ++served_;
  } catch (const TierError&) {
    // The thread that waits must go on; it finds a page of zeros, which verify() reports.
    *reinterpret_cast<std::uint64_t*>(buffer) = 0;
  }
  uffdio_copy copy = {};
  copy.dst = address;
  copy.src = reinterpret_cast<std::uintptr_t>(buffer);
  copy.len = kPage;
  while (ioctl(faults_.number(), UFFDIO_COPY, &copy) != 0 && errno == EAGAIN) {
  }
}

void ServedFaultOperation::prepare(std::uint64_t n) {
  process_.require("the thread that serves these faults was");
  if (n > kFaultPages) {
    throw std::invalid_argument("batch: a batch of " + std::to_string(n) +
                                " faults does not fit a region of " + std::to_string(kFaultPages) +
                                " pages");
  }
  if (next_ + n > kFaultPages) {
    madvise(region_.data(), region_.size(), MADV_DONTNEED);
    next_ = 0;
  }
}

void ServedFaultOperation::run(std::uint64_t n) {
  for (; n > 0 && !stop_requested(); --n, ++next_) {
    sum_ += *reinterpret_cast<const volatile std::uint64_t*>(region_.data() + next_ * kPage);
    expected_sum_ += fault_tag(next_);
    ++touched_;
  }
}

Verification ServedFaultOperation::verify() {
  if (sum_ != expected_sum_) {
    return {touched_, false, "a page that was served holds something else than the lower tier"};
  }
  if (served_ != touched_) {
    return {touched_, false,
            std::to_string(touched_) + " pages were touched, " + std::to_string(served_.load()) +
                " were served"};
  }
  return {touched_, true};
}

}  // namespace stratoperf::memory
