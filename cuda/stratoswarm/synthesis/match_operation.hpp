// Matching on a device as an operation for the sampler.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/operation.hpp"
#include "cuda/stratoswarm/synthesis/matcher.hpp"

namespace stratoperf::cuda::synthesis {

// What an operation works with. Shared with whoever checks what it found last, who reads it only
// while the operation does not run.
struct LastMatch {
  LastMatch(std::shared_ptr<const Corpus> corpus, const Settings& settings)
      : matcher(std::move(corpus), settings) {}

  Matcher matcher;
  bool complete = false;
};

// One iteration compares all patterns with all nodes, host to host: from the launch to the hits
// lying in page-locked memory, in order. The nodes lie in device memory.
class MatchOperation final : public Operation {
 public:
  explicit MatchOperation(std::shared_ptr<LastMatch> last);

  void run(std::uint64_t n) override;
  bool has_device_time() const override { return true; }
  double device_time(std::uint64_t n) override;

 private:
  std::shared_ptr<LastMatch> last_;
  std::function<bool()> stop_;
};

}  // namespace stratoperf::cuda::synthesis
