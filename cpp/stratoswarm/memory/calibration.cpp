#include "stratoswarm/memory/calibration.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace stratoperf::memory {
namespace {

constexpr std::array<std::uint64_t, 4> kChunks = {std::uint64_t{256} << 10,
                                                  std::uint64_t{512} << 10, std::uint64_t{1} << 20,
                                                  std::uint64_t{4} << 20};

// Where a device copies by itself each call costs it some microseconds, and two threads hide that:
// while one waits the other's piece is under way.
constexpr std::array<std::uint64_t, 5> kDeviceChunks = {
    std::uint64_t{256} << 10, std::uint64_t{512} << 10, std::uint64_t{1} << 20,
    std::uint64_t{4} << 20, kMaxChunk};

// Queue depths worth trying with a disk: one, and beyond two the gain of most devices ends.
constexpr std::array<unsigned, 3> kDepths = {1, 2, 4};

// How many of the candidates are tried again, and how often: the first run meets everything cold.
constexpr std::size_t kFinalists = 3;
constexpr int kFinalRuns = 4;

bool copies(const Tier& from, const Tier& to) {
  return from.address() != nullptr && to.address() != nullptr;
}

// Whether a device moves the bytes, and no disk takes part.
bool device_copies(const Tier& from, const Tier& to) {
  const auto reached = [](const Tier& tier) {
    return tier.copies_itself() || tier.address() != nullptr;
  };
  return !copies(from, to) && reached(from) && reached(to);
}

std::uint64_t trial_size(const Tier& from, const Tier& to, std::uint64_t size) {
  const bool disk = !copies(from, to) && !device_copies(from, to);
  return std::min(size, disk ? kTrialBytes : kCopyTrialBytes);
}

// One thread with pieces as large as they may be, or two in turns.
std::vector<Tuning> device_candidates(std::uint64_t trial) {
  std::vector<Tuning> all = {{1, std::clamp(trial, kPage, kMaxChunk), CopyMethod::in_place}};
  for (const std::uint64_t chunk : kDeviceChunks) {
    if (chunk * 2 <= trial) {
      all.push_back({2, chunk, CopyMethod::in_place});
    }
  }
  return all;
}

std::vector<CopyMethod> methods(const Tier& from, const Tier& to) {
  if (copies(from, to)) {
    return copy_methods();
  }
  const bool memory = from.address() != nullptr || to.address() != nullptr;
  if (memory && !from.has_huge_pages() && !to.has_huge_pages()) {
    return {CopyMethod::in_place, CopyMethod::staged};
  }
  return {CopyMethod::in_place};
}

// What was never written is not read from the device.
void fill(Tier& tier, std::uint64_t offset, std::uint64_t size) {
  const Mapping zeros = Mapping::reserve(size);
  const iovec part = {zeros.data(), static_cast<std::size_t>(size)};
  tier.write(offset, {&part, 1});
  tier.flush();
}

// The room of a trial, which does not outlive it.
class Room {
 public:
  Room(Tier& tier, std::uint64_t size) : tier_(tier), extent_(tier.allocate(size)) {}
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() { tier_.release(extent_); }
  std::uint64_t offset() const { return extent_.offset; }

 private:
  Tier& tier_;
  Extent extent_;
};

double rate(Transfer& transfer, Tier& from, Tier& to, const Segment& segment, const Tuning& tuning,
            const StopCheck& stop) {
  const auto start = std::chrono::steady_clock::now();
  transfer.move(from, to, {&segment, 1}, tuning, stop);
  to.flush();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return static_cast<double>(segment.size) / std::max(elapsed.count(), 1e-9);
}

}  // namespace

Tuning default_tuning(const Tier& from, const Tier& to) {
  if (copies(from, to)) {
    return {1, std::uint64_t{4} << 20, CopyMethod::library};
  }
  if (device_copies(from, to)) {
    // A device needs few calls.
    return {1, kMaxChunk, CopyMethod::in_place};
  }
  // Two requests under way keep most disks busy, and a MiB makes the cost of a request small.
  return {2, std::uint64_t{1} << 20, methods(from, to).back()};
}

std::vector<Tuning> candidates(const Tier& from, const Tier& to, std::uint64_t size,
                               unsigned processors) {
  const std::uint64_t trial = trial_size(from, to, size);
  if (device_copies(from, to)) {
    return device_candidates(trial);
  }
  const bool copying = copies(from, to);
  std::vector<Tuning> all;
  for (const CopyMethod method : methods(from, to)) {
    for (const unsigned threads : kDepths) {
      // Copying keeps a processor busy; waiting for a disk does not.
      if (copying && threads > processors) {
        continue;
      }
      // A single thread is interrupted by chunks for nothing when it only copies.
      if (threads == 1 && (copying || trial <= kChunks.front())) {
        all.push_back({1, std::min(std::max(trial, kPage), kMaxChunk), method});
        continue;
      }
      for (const std::uint64_t chunk : kChunks) {
        if (chunk * threads <= trial) {
          all.push_back({threads, chunk, method});
        }
      }
    }
  }
  return all;
}

std::uint64_t calibration_bytes(const Tier& from, const Tier& to, std::uint64_t size,
                                unsigned processors) {
  const std::size_t count = candidates(from, to, size, processors).size();
  const std::size_t runs = count + std::min(count, kFinalists) * kFinalRuns;
  return trial_size(from, to, size) * ((from.durable() ? 1 : 0) + (to.durable() ? runs : 0));
}

Calibration calibrate(Transfer& transfer, Tier& from, Tier& to, std::uint64_t size,
                      unsigned processors, const StopCheck& stop) {
  const std::uint64_t trial = trial_size(from, to, size);
  const Room source(from, trial);
  const Room target(to, trial);
  const Segment segment = {source.offset(), target.offset(), trial};
  fill(from, source.offset(), trial);
  Calibration calibration;
  for (const Tuning& tuning : candidates(from, to, size, processors)) {
    calibration.trials.push_back({tuning, rate(transfer, from, to, segment, tuning, stop)});
  }
  const auto faster = [](const Calibration::Trial& a, const Calibration::Trial& b) {
    return a.bytes_per_second > b.bytes_per_second;
  };
  std::stable_sort(calibration.trials.begin(), calibration.trials.end(), faster);
  const std::size_t finalists = std::min(kFinalists, calibration.trials.size());
  // In turns, so that a disturbance hits all of them.
  for (int run = 0; run < kFinalRuns; ++run) {
    for (std::size_t i = 0; i < finalists; ++i) {
      auto& [tuning, fastest] = calibration.trials[i];
      fastest = std::max(fastest, rate(transfer, from, to, segment, tuning, stop));
    }
  }
  std::stable_sort(calibration.trials.begin(), calibration.trials.end(), faster);
  calibration.best = calibration.trials.front().tuning;
  return calibration;
}

}  // namespace stratoperf::memory
