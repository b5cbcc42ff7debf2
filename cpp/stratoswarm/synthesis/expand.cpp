#include "stratoswarm/synthesis/expand.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace stratoperf::synthesis {
namespace {

// Expansions between two looks at the stop token.
constexpr std::uint64_t kExpansionsPerLook = 4096;

// Below this many expansions a thread costs more to wake (some 10 us) than it saves.
constexpr std::uint64_t kExpansionsPerThread = 2048;

}  // namespace

Expander::Expander(std::vector<Piece> pieces, std::string tail, const Texts& texts,
                   unsigned threads)
    : pieces_(std::move(pieces)), tail_(std::move(tail)), texts_(texts), threads_(threads) {
  if (threads == 0) {
    throw std::invalid_argument("threads: must be at least 1, got 0");
  }
  for (const Piece& piece : pieces_) {
    if (piece.slot >= texts_.slots) {
      throw std::invalid_argument("template: slot " + std::to_string(piece.slot) +
                                  " has no text; there are " + std::to_string(texts_.slots));
    }
  }
}

bool Expander::expand(Expanded& out, const Stop& stop) {
  std::uint64_t literals = tail_.size();
  for (const Piece& piece : pieces_) {
    literals += piece.literal.size();
  }
  out.begin.resize(texts_.expansions + 1);
  out.begin[0] = 0;
  for (std::uint64_t e = 0; e < texts_.expansions; ++e) {
    const std::uint64_t* const begin = texts_.begin + e * texts_.slots;
    std::uint64_t size = literals;
    for (const Piece& piece : pieces_) {
      size += begin[piece.slot + 1] - begin[piece.slot];
    }
    out.begin[e + 1] = out.begin[e] + size;
  }
  out.bytes.resize(out.begin[texts_.expansions]);
  const auto members = static_cast<unsigned>(
      std::clamp<std::uint64_t>(texts_.expansions / kExpansionsPerThread, 1, threads_));
  if (members == 1) {
    return copy(out, 0, texts_.expansions, stop);
  }
  if (team_ == nullptr) {
    team_ = std::make_unique<ThreadTeam>(threads_);
  }
  std::atomic<bool> complete = true;
  team_->run([&](unsigned member) {
    if (member < members && !copy(out, texts_.expansions * member / members,
                                  texts_.expansions * (member + 1) / members, stop)) {
      complete.store(false, std::memory_order_relaxed);
    }
  });
  return complete.load(std::memory_order_relaxed);
}

bool Expander::copy(Expanded& out, std::uint64_t first, std::uint64_t last,
                    const Stop& stop) const {
  for (std::uint64_t e = first; e < last; ++e) {
    if (e % kExpansionsPerLook == 0 && stop && stop()) {
      return false;
    }
    char* to = out.bytes.data() + out.begin[e];
    const std::uint64_t* const begin = texts_.begin + e * texts_.slots;
    for (const Piece& piece : pieces_) {
      to = std::copy(piece.literal.begin(), piece.literal.end(), to);
      to = std::copy(texts_.bytes + begin[piece.slot], texts_.bytes + begin[piece.slot + 1], to);
    }
    std::copy(tail_.begin(), tail_.end(), to);
  }
  return true;
}

}  // namespace stratoperf::synthesis
