// CPU memory of one NUMA node as a tier.
#pragma once

#include <optional>

#include "stratoswarm/memory/tier.hpp"

namespace stratoperf::memory {

enum class Pages { base, huge };

class MemoryTier : public Tier {
 public:
  // `node` binds the memory to a NUMA node; none leaves it to the kernel. With huge pages the
  // kernel is asked for transparent ones, without it is asked to give none. Throws TierError when
  // the addresses or the node are refused. `alignment` is that of the first address.
  MemoryTier(std::string name, std::uint64_t capacity, Pages pages, std::optional<unsigned> node,
             std::uint64_t alignment = kHugePage);

  std::byte* address() const override { return mapping_.data(); }
  bool has_huge_pages() const override { return pages_ == Pages::huge; }
  void read(std::uint64_t offset, std::span<const iovec> parts) override;
  void write(std::uint64_t offset, std::span<const iovec> parts) override;

 protected:
  void commit(const Extent& extent) override;
  void discard(const Extent& extent) override;

  std::span<std::byte> range(const Extent& extent) const;

 private:
  Pages pages_;
  Mapping mapping_;
};

}  // namespace stratoperf::memory
