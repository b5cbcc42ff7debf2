// Block storage as a tier: one file without a name.
#pragma once

#include "stratoswarm/memory/tier.hpp"

namespace stratoperf::memory {

// A file that has no name from the start (O_TMPFILE), or loses it at once where the file system
// cannot do that: it is gone with the last descriptor, after kill -9 too.
Descriptor open_nameless(const std::string& directory);

class FileTier final : public Tier {
 public:
  // Throws TierError when no file can be made in `directory`.
  FileTier(std::string name, std::uint64_t capacity, const std::string& directory);

  // Whether reads and writes bypass the page cache.
  bool direct() const { return fallback_.empty(); }
  // Why they do not: the file system refuses O_DIRECT. Writes are then synced and dropped from
  // the page cache by flush(), so that a later read still comes from the device.
  const std::string& fallback() const { return fallback_; }
  const Descriptor& file() const { return file_; }

  bool durable() const override { return true; }
  void read(std::uint64_t offset, std::span<const iovec> parts) override;
  void write(std::uint64_t offset, std::span<const iovec> parts) override;
  void flush() override;

 protected:
  void commit(const Extent& extent) override;
  void discard(const Extent& extent) override;

 private:
  void use_direct_io();
  void transfer(bool writing, std::uint64_t offset, std::span<const iovec> parts);
  [[noreturn]] void fail(const char* what, std::uint64_t offset, const std::string& why) const;

  std::string directory_;
  Descriptor file_;
  std::string fallback_ = {};
};

}  // namespace stratoperf::memory
