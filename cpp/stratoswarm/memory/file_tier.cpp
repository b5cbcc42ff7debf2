#include "stratoswarm/memory/file_tier.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

namespace stratoperf::memory {
namespace {

constexpr mode_t kOwnerOnly = 0600;

off_t signed_offset(std::uint64_t offset) { return static_cast<off_t>(offset); }

// Drops the first `done` bytes of the parts.
void advance(std::vector<iovec>& parts, std::size_t done) {
  auto part = parts.begin();
  while (part != parts.end() && done >= part->iov_len) {
    done -= part->iov_len;
    ++part;
  }
  if (part != parts.end()) {
    part->iov_base = static_cast<std::byte*>(part->iov_base) + done;
    part->iov_len -= done;
  }
  parts.erase(parts.begin(), part);
}

std::uint64_t total(std::span<const iovec> parts) {
  std::uint64_t sum = 0;
  for (const iovec& part : parts) {
    sum += part.iov_len;
  }
  return sum;
}

}  // namespace

Descriptor open_nameless(const std::string& directory) {
  Descriptor file(open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kOwnerOnly));
  if (file) {
    return file;
  }
  // EISDIR and ENOENT come from kernels, EOPNOTSUPP from file systems that do not know the flag.
  if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT) {
    std::string path = directory + "/stratoperf-XXXXXX";
    file = Descriptor(mkostemp(path.data(), O_CLOEXEC));
    if (file) {
      unlink(path.c_str());
      return file;
    }
  }
  throw TierError("cannot make a file in " + directory + ": " + reason_of(errno));
}

FileTier::FileTier(std::string name, std::uint64_t capacity, const std::string& directory)
    : Tier(std::move(name), capacity), directory_(directory), file_(open_nameless(directory)) {
  use_direct_io();
}

// Some file systems refuse the flag, others only the first transfer.
void FileTier::use_direct_io() {
  const int flags = fcntl(file_.number(), F_GETFL);
  if (fcntl(file_.number(), F_SETFL, flags | O_DIRECT) != 0) {
    fallback_ = "the file system refuses O_DIRECT (" + reason_of(errno) + ")";
    return;
  }
  const Mapping page = Mapping::reserve(kPage);
  if (pwrite(file_.number(), page.data(), kPage, 0) < 0 && errno == EINVAL) {
    fallback_ = "the file system refuses direct transfers of 4096 bytes";
    fcntl(file_.number(), F_SETFL, flags);
  }
}

void FileTier::fail(const char* what, std::uint64_t offset, const std::string& why) const {
  throw TierError(name() + " cannot " + what + " its file in " + directory_ + " at byte " +
                  std::to_string(offset) + ": " + why);
}

void FileTier::read(std::uint64_t offset, std::span<const iovec> parts) {
  transfer(false, offset, parts);
}

void FileTier::write(std::uint64_t offset, std::span<const iovec> parts) {
  transfer(true, offset, parts);
}

void FileTier::transfer(bool writing, std::uint64_t offset, std::span<const iovec> parts) {
  std::vector<iovec> rest;  // only after a transfer that came back short
  std::uint64_t left = total(parts);
  while (left > 0) {
    const int count = static_cast<int>(parts.size());
    const ssize_t done = writing
                             ? pwritev(file_.number(), parts.data(), count, signed_offset(offset))
                             : preadv(file_.number(), parts.data(), count, signed_offset(offset));
    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done < 0) {
      fail(writing ? "write" : "read", offset, reason_of(errno));
    }
    const auto moved = static_cast<std::uint64_t>(done);
    // The file always holds what is read from it, in whole pages.
    if (!writing && moved < left && moved % kPage != 0) {
      fail("read", offset + moved, "the file ends there: something cut it short");
    }
    if (done == 0) {
      fail(writing ? "write" : "read", offset,
           writing ? "nothing was written" : "the file ends there: something cut it short");
    }
    offset += moved;
    left -= moved;
    if (left > 0) {
      if (rest.empty()) {
        rest.assign(parts.begin(), parts.end());
      }
      advance(rest, static_cast<std::size_t>(moved));
      parts = rest;
    }
  }
}

void FileTier::flush() {
  int failed = 0;
  do {
    failed = fdatasync(file_.number());
  } while (failed != 0 && errno == EINTR);
  if (failed != 0) {
    fail("sync", 0, reason_of(errno));
  }
  if (!direct()) {
    posix_fadvise(file_.number(), 0, 0, POSIX_FADV_DONTNEED);
  }
}

void FileTier::commit(const Extent& extent) {
  const int failed =
      posix_fallocate(file_.number(), signed_offset(extent.offset), signed_offset(extent.size));
  if (failed != 0) {
    // Rolls the file back to what it held, so that a failed attempt keeps no room.
    static_cast<void>(ftruncate(file_.number(), signed_offset(extent.offset)));
    fail("extend", extent.offset, reason_of(failed));
  }
}

void FileTier::discard(const Extent& extent) {
  static_cast<void>(fallocate(file_.number(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                              signed_offset(extent.offset), signed_offset(extent.size)));
}

}  // namespace stratoperf::memory
