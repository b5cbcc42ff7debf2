// Finds how bytes move fastest between two tiers.
#pragma once

#include <cstdint>
#include <vector>

#include "stratoswarm/memory/transfer.hpp"

namespace stratoperf::memory {

// The most that one trial moves to or from a disk: enough to queue several of the largest chunks.
constexpr std::uint64_t kTrialBytes = std::uint64_t{8} << 20;

// And between memories, a device's among them: beyond the caches, which turn the order of the
// candidates around.
constexpr std::uint64_t kCopyTrialBytes = std::uint64_t{64} << 20;

// What was tried, and what is used from then on.
struct Calibration {
  struct Trial {
    Tuning tuning = {};
    double bytes_per_second = 0;  // of the fastest of its runs: noise only adds time
  };
  Tuning best = {};
  std::vector<Trial> trials = {};
};

// A choice that suits most devices, before a calibration.
Tuning default_tuning(const Tier& from, const Tier& to);

// The candidates for a block of that size on a machine with that many processors.
std::vector<Tuning> candidates(const Tier& from, const Tier& to, std::uint64_t size,
                               unsigned processors);

// Bytes that calibrate() writes to durable tiers at most.
std::uint64_t calibration_bytes(const Tier& from, const Tier& to, std::uint64_t size,
                                unsigned processors);

// Moves a trial block of `size` bytes, at most kTrialBytes or kCopyTrialBytes, with each candidate
// once and with the best few again; the flush is timed too. Throws TierError and Stopped.
Calibration calibrate(Transfer& transfer, Tier& from, Tier& to, std::uint64_t size,
                      unsigned processors, const StopCheck& stop);

}  // namespace stratoperf::memory
