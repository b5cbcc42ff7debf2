// Templates filled with texts, many at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/thread_team.hpp"
#include "stratoswarm/synthesis/steps.hpp"

namespace stratoperf::synthesis {

// Literal text, and after it the text of a slot.
struct Piece {
  std::string literal = {};
  std::uint32_t slot = 0;
};

// The texts of all slots of all expansions, one after the other.
struct Texts {
  const char* bytes = nullptr;           // not owned
  const std::uint64_t* begin = nullptr;  // of slot s of expansion e: begin[e * slots + s], and on
  std::uint32_t slots = 0;
  std::uint64_t expansions = 0;
};

struct Expanded {
  std::vector<std::uint64_t> begin = {};  // of each expansion, and the end of the last
  std::vector<char> bytes = {};
};

// Keeps its threads from call to call. For one thread at a time.
class Expander {
 public:
  // `tail` follows the last slot. Throws std::invalid_argument for a slot that there is not, or
  // no threads.
  Expander(std::vector<Piece> pieces, std::string tail, const Texts& texts, unsigned threads);

  // `stop`, if there is one, is polled about every 0.1 ms; once it returns true the outcome is
  // undefined and the result is false.
  bool expand(Expanded& out, const Stop& stop = {});

 private:
  bool copy(Expanded& out, std::uint64_t first, std::uint64_t last, const Stop& stop) const;

  std::vector<Piece> pieces_;
  std::string tail_;
  Texts texts_;
  unsigned threads_;
  std::unique_ptr<ThreadTeam> team_;
};

// Makes all expansions.
class ExpandStep final : public Step {
 public:
  ExpandStep(Expander expander, std::shared_ptr<Last<Expanded>> last)
      : expander_(std::move(expander)), last_(std::move(last)) {}

  void run(const Stop& stop) override {
    last_->complete = false;
    last_->complete = expander_.expand(last_->outcome, stop);
  }

 private:
  Expander expander_;
  std::shared_ptr<Last<Expanded>> last_;
};

}  // namespace stratoperf::synthesis
