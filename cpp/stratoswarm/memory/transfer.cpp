#include "stratoswarm/memory/transfer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace stratoperf::memory {
namespace {

// The most parts of one vectored call (IOV_MAX of Linux).
constexpr std::size_t kMaxParts = 1024;

void check(const Tuning& tuning) {
  if (tuning.threads < 1 || tuning.threads > kMaxThreads) {
    throw std::invalid_argument("threads: expected 1 to " + std::to_string(kMaxThreads) + ", got " +
                                std::to_string(tuning.threads));
  }
  if (tuning.chunk < kPage || tuning.chunk > kMaxChunk || tuning.chunk % kPage != 0) {
    throw std::invalid_argument("chunk_bytes: expected a multiple of " + std::to_string(kPage) +
                                " up to " + std::to_string(kMaxChunk) + ", got " +
                                std::to_string(tuning.chunk));
  }
}

iovec part(std::byte* address, std::uint64_t size) {
  return {address, static_cast<std::size_t>(size)};
}

}  // namespace

void change_some(std::span<std::byte> bytes) {
  constexpr std::size_t kStride = std::size_t{64} << 10;  // divides every chunk that is tried
  for (std::size_t at = 0; at < bytes.size(); at += kStride) {
    bytes[at] ^= std::byte{0xff};
  }
}

void clear_ends(Tier& tier, const Extent& extent) {
  const Mapping zeros = Mapping::reserve(kPage);
  const std::array<iovec, 1> page = {part(zeros.data(), kPage)};
  tier.write(extent.offset, page);
  tier.write(extent.end() - kPage, page);
}

void Transfer::move(Tier& from, Tier& to, std::span<const Segment> segments, const Tuning& tuning,
                    const StopCheck& stop) {
  check(tuning);
  cut(from, to, segments, tuning.chunk);
  const unsigned threads = std::max(
      1U, std::min(tuning.threads,
                   static_cast<unsigned>(std::min<std::size_t>(chunks_.size(), kMaxThreads))));
  staging_.resize(std::max<std::size_t>(staging_.size(), threads));
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stopped = false;
  const auto work = [&](unsigned member) {
    for (std::size_t i = next.fetch_add(1); i < chunks_.size(); i = next.fetch_add(1)) {
      if (stop && stop()) {
        stopped = true;
        return;
      }
      try {
        move_chunk(from, to, chunks_[i], tuning.method, member);
      } catch (...) {
        next = chunks_.size();  // the others need not go on
        throw;
      }
    }
  };
  if (threads == 1) {
    work(0);
  } else {
    std::unique_ptr<ThreadTeam>& team = teams_[threads];
    if (team == nullptr) {
      team = std::make_unique<ThreadTeam>(threads);
    }
    team->run(work);
  }
  if (stopped) {
    throw Stopped();
  }
}

// Cuts the segments into chunks of at most `chunk` bytes. A chunk is one stretch of each tier that
// has no addresses, so that it takes one call there.
void Transfer::cut(const Tier& from, const Tier& to, std::span<const Segment> segments,
                   std::uint64_t chunk) {
  pieces_.clear();
  chunks_.clear();
  std::uint64_t filled = chunk;  // of the last chunk
  for (Segment rest : segments) {
    while (rest.size > 0) {
      const bool goes_on =
          !pieces_.empty() && filled < chunk &&
          chunks_.back().end - chunks_.back().begin < kMaxParts &&
          (from.address() != nullptr || pieces_.back().from + pieces_.back().size == rest.from) &&
          (to.address() != nullptr || pieces_.back().to + pieces_.back().size == rest.to);
      if (!goes_on) {
        chunks_.push_back({pieces_.size(), pieces_.size()});
        filled = 0;
      }
      const std::uint64_t size = std::min(rest.size, chunk - filled);
      pieces_.push_back({rest.from, rest.to, size});
      chunks_.back().end = pieces_.size();
      filled += size;
      rest = {rest.from + size, rest.to + size, rest.size - size};
    }
  }
}

void Transfer::move_chunk(Tier& from, Tier& to, const Chunk& chunk, CopyMethod method,
                          unsigned member) {
  const auto pieces = std::span(pieces_).subspan(chunk.begin, chunk.end - chunk.begin);
  std::byte* const source = from.address();
  std::byte* const target = to.address();
  const bool between = (source == nullptr) != (target == nullptr);
  if (between && method == CopyMethod::staged) {
    move_staged(from, to, pieces, member);
    return;
  }
  if (source != nullptr && target != nullptr) {
    for (const Segment& piece : pieces) {
      copy(method, target + piece.to, source + piece.from, static_cast<std::size_t>(piece.size));
    }
    return;
  }
  if (source == nullptr && target == nullptr) {
    const std::uint64_t size = pieces.back().from + pieces.back().size - pieces.front().from;
    if (to.take(from, {pieces.front().from, size}, pieces.front().to)) {
      return;
    }
    const std::array<iovec, 1> whole = {part(staging(member, size, from, to), size)};
    from.read(pieces.front().from, whole);
    to.write(pieces.front().to, whole);
    return;
  }
  std::vector<iovec>& parts = staging_[member].parts;
  parts.clear();
  for (const Segment& piece : pieces) {
    parts.push_back(source != nullptr ? part(source + piece.from, piece.size)
                                      : part(target + piece.to, piece.size));
  }
  if (source != nullptr) {
    to.write(pieces.front().to, parts);
  } else {
    from.read(pieces.front().from, parts);
  }
}

void Transfer::move_staged(Tier& from, Tier& to, std::span<const Segment> pieces, unsigned member) {
  std::uint64_t size = 0;
  for (const Segment& piece : pieces) {
    size += piece.size;
  }
  std::byte* buffer = staging(member, size, from, to);
  const std::array<iovec, 1> whole = {part(buffer, size)};
  if (from.address() == nullptr) {
    from.read(pieces.front().from, whole);
  }
  for (const Segment& piece : pieces) {
    if (from.address() != nullptr) {
      std::memcpy(buffer, from.address() + piece.from, static_cast<std::size_t>(piece.size));
    } else {
      std::memcpy(to.address() + piece.to, buffer, static_cast<std::size_t>(piece.size));
    }
    buffer += piece.size;
  }
  if (to.address() == nullptr) {
    to.write(pieces.front().to, whole);
  }
}

std::byte* Transfer::staging(unsigned member, std::uint64_t size, Tier& from, Tier& to) {
  Tier* const device = from.copies_itself() ? &from : to.copies_itself() ? &to : nullptr;
  Buffer& buffer = device != nullptr ? staging_[member].of_device : staging_[member].huge;
  if (buffer.size < size) {
    buffer = {};
    buffer = make_buffer(device, size);
  }
  return buffer.data.get();
}

Transfer::Buffer Transfer::make_buffer(Tier* device, std::uint64_t size) {
  if (device != nullptr) {
    if (std::shared_ptr<std::byte> data = device->staging(size); data != nullptr) {
      return {std::move(data), size};
    }
  }
  // Without huge pages it is a buffer like any other.
  size = (size + kHugePage - 1) / kHugePage * kHugePage;
  const auto mapping = std::make_shared<Mapping>(Mapping::reserve(size, kHugePage));
  madvise(mapping->data(), mapping->size(), MADV_HUGEPAGE);
  populate(mapping->bytes());
  return {{mapping, mapping->data()}, size};
}

}  // namespace stratoperf::memory
