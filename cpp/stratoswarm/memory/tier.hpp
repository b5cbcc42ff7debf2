// A tier: somewhere that blocks can lie. The interface that migration is written against.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/failure.hpp"
#include "stratoswarm/memory/extents.hpp"
#include "stratoswarm/memory/handles.hpp"

namespace stratoperf::memory {

// A tier could not do what it was asked: no room, an I/O error, a file that was cut short.
class TierError : public Failure {
 public:
  using Failure::Failure;
};

// The kernel's words for an error number.
std::string reason_of(int error);

// Room in one kind of memory. Offsets and sizes are multiples of kPage. What is released stays
// with the tier for the next allocation, until trim() gives it back to the system.
//
// allocate, release and trim are called by one thread at a time; read and write by several, on
// parts that do not overlap. Another kind of memory (a GPU's) is another subclass: one that the
// host cannot address leaves address() null and copies in read and write.
class Tier {
 public:
  Tier(std::string name, std::uint64_t capacity);
  Tier(const Tier&) = delete;
  Tier& operator=(const Tier&) = delete;
  virtual ~Tier() = default;

  const std::string& name() const { return name_; }
  std::uint64_t capacity() const { return extents_.capacity(); }
  std::uint64_t used() const { return extents_.used(); }

  // Room of that size, with whatever it held before. Throws TierError when there is none.
  Extent allocate(std::uint64_t size);
  void release(const Extent& extent) { extents_.release(extent); }
  // Gives the room that no block uses back to the system.
  void trim();

  // Whether what is written survives a power failure once flush() returned; such bytes are
  // counted against the budget.
  virtual bool durable() const { return false; }
  // Where the tier begins in this process, or null.
  virtual std::byte* address() const { return nullptr; }
  // Whether a device meets large pieces of it, so that staging would gain nothing.
  virtual bool has_huge_pages() const { return false; }
  // Copies from `offset` on into the parts, one after the other, or from them. Throws TierError.
  virtual void read(std::uint64_t offset, std::span<const iovec> parts) = 0;
  virtual void write(std::uint64_t offset, std::span<const iovec> parts) = 0;
  // Whether a device of its own copies, at the rate of a bus, while the host waits: best in few and
  // large pieces.
  virtual bool copies_itself() const { return false; }
  // Memory for bytes on their way between a tier that copies by itself and one without addresses,
  // aligned to a page. Null: any memory will do.
  virtual std::shared_ptr<std::byte> staging(std::uint64_t /*size*/) { return nullptr; }
  // Copies from another tier without the host's memory in between. Returns false where that cannot
  // be done. Throws TierError.
  virtual bool take(Tier& /*from*/, const Extent& /*source*/, std::uint64_t /*offset*/) {
    return false;
  }
  // Returns when what was written is where it is meant to stay. Throws TierError.
  virtual void flush() {}

 protected:
  // Makes the pages, or the place on the disk, of a part that was not used before.
  virtual void commit(const Extent& extent) = 0;
  virtual void discard(const Extent& extent) = 0;

 private:
  std::string name_;
  Extents extents_;
  std::uint64_t committed_ = 0;  // all below was committed once
};

}  // namespace stratoperf::memory
