// Moves bytes between two tiers, in chunks that overlap.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/thread_team.hpp"
#include "stratoswarm/memory/copy.hpp"
#include "stratoswarm/memory/tier.hpp"

namespace stratoperf::memory {

constexpr std::uint64_t kMaxChunk = std::uint64_t{16} << 20;
constexpr unsigned kMaxThreads = 64;

// How the bytes are moved; found by calibrate().
struct Tuning {
  unsigned threads = 1;
  std::uint64_t chunk = std::uint64_t{1} << 20;  // bytes in one read or write, at most kMaxChunk
  CopyMethod method = CopyMethod::library;
};

// One part of what is moved, by offsets in the two tiers.
struct Segment {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t size = 0;
};

// Somebody asked to stop: the target holds an unknown part.
class Stopped : public std::runtime_error {
 public:
  Stopped() : std::runtime_error("stopped") {}
};

using StopCheck = std::function<bool()>;

// Changes some bytes of every chunk, so that one which was not moved is noticed.
void change_some(std::span<std::byte> bytes);

// Clears the first and the last page of room without addresses, to the same end.
void clear_ends(Tier& tier, const Extent& extent);
constexpr std::uint64_t kClearedBytes = 2 * kPage;

// Chunks are taken by a few threads, each with one read or write under way at a time: while one
// reads the next chunk another writes this one, and a disk has as many requests queued as there
// are threads. (On a 2-core machine with a virtual disk two such threads had 0.95 to 1.2 of the
// bandwidth of io_uring at the same depth, with nothing that a container may forbid.)
//
// Many small segments that lie side by side in a file become one vectored read or write.
class Transfer {
 public:
  // Does not flush. Throws TierError, Stopped, and std::invalid_argument for a tuning out of
  // range. From one thread at a time.
  void move(Tier& from, Tier& to, std::span<const Segment> segments, const Tuning& tuning,
            const StopCheck& stop);

 private:
  struct Buffer {
    std::shared_ptr<std::byte> data = nullptr;
    std::uint64_t size = 0;
  };
  // Where a thread keeps a chunk on its way: memory that a device reaches by itself (page-locked)
  // when one takes part, huge pages when only a disk does. One buffer a thread and no ring: a
  // thread waits for its read or write, and what overlaps are the threads, as many as the
  // calibration found to pay. Small pieces for a device take turns in two page-locked halves:
  // cuda/memory/copier.hpp.
  struct Staging {
    Buffer of_device = {};
    Buffer huge = {};
    std::vector<iovec> parts = {};  // of a vectored read or write
  };
  // A range of pieces_ that one call moves.
  struct Chunk {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  static Buffer make_buffer(Tier* device, std::uint64_t size);
  void cut(const Tier& from, const Tier& to, std::span<const Segment> segments,
           std::uint64_t chunk);
  void move_chunk(Tier& from, Tier& to, const Chunk& chunk, CopyMethod method, unsigned member);
  void move_staged(Tier& from, Tier& to, std::span<const Segment> pieces, unsigned member);
  std::byte* staging(unsigned member, std::uint64_t size, Tier& from, Tier& to);

  std::vector<Segment> pieces_ = {};
  std::vector<Chunk> chunks_ = {};
  std::vector<Staging> staging_ = {};
  std::map<unsigned, std::unique_ptr<ThreadTeam>> teams_ = {};  // by number of threads
};

}  // namespace stratoperf::memory
