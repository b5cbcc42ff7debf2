// Page faults as operations for the sampler.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <thread>

#include "core/fork.hpp"
#include "core/operation.hpp"
#include "stratoswarm/memory/file_tier.hpp"
#include "stratoswarm/memory/memory_tier.hpp"

namespace stratoperf::memory {

enum class Fault {
  minor,  // the first touch of a 4 KiB page: the kernel finds one and clears it
  huge,   // the same with a page of 2 MiB
  major,  // a mapped file's page that has to be read from the disk
};

// One iteration touches one page that is not there. When all pages of the region were touched,
// prepare() takes them away again. Verified by the kernel's own count of the faults of this
// thread (one a touch, no fewer and not two), by the content, and for huge pages by what the kernel
// says backs the region.
class FaultOperation final : public Operation {
 public:
  // `directory` holds the file of a major fault. Throws TierError when the region cannot be made.
  FaultOperation(Fault fault, const std::string& directory);

  void prepare(std::uint64_t n) override;
  void run(std::uint64_t n) override;
  Verification verify() override;

  // Where the faults happen; whoever touches it takes them away.
  std::span<std::byte> region() const { return region_.bytes(); }

 private:
  void make_file(const std::string& directory);
  void take_away();
  void count_faults();
  void check_pages();
  std::uint64_t backed_by_huge_pages() const;

  Fault fault_;
  std::uint64_t page_;   // bytes
  std::uint64_t pages_;  // in the region
  Descriptor file_ = {};
  Mapping region_ = {};
  std::uint64_t next_ = 0;
  std::uint64_t sum_ = 0;  // of the first words of the pages touched
  std::uint64_t expected_sum_ = 0;
  std::uint64_t touched_ = 0;
  std::uint64_t due_ = 0;      // touches since the faults were counted
  std::uint64_t before_ = 0;   // the kernel's count then
  std::uint64_t counted_ = 0;  // by the kernel
  std::uint64_t missing_ = 0;  // touches that were no such fault
  std::uint64_t damaged_ = 0;  // pages that do not hold what they should
};

// Faults that another thread serves through userfaultfd: it copies the page from a lower tier.
class ServedFaultOperation final : public Operation {
 public:
  // Throws TierError when userfaultfd is refused.
  explicit ServedFaultOperation(std::shared_ptr<Tier> lower);
  ~ServedFaultOperation() override;

  void prepare(std::uint64_t n) override;
  void run(std::uint64_t n) override;
  Verification verify() override;

 private:
  void serve();
  void serve_one(std::uint64_t address, std::byte* buffer);

  OwnProcess process_ = {};
  std::shared_ptr<Tier> lower_;
  Extent extent_ = {};
  Mapping region_ = {};
  Descriptor faults_ = {};
  Descriptor quit_ = {};
  std::uint64_t next_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t expected_sum_ = 0;
  std::uint64_t touched_ = 0;
  std::atomic<std::uint64_t> served_ = 0;
  std::thread server_ = {};
};

}  // namespace stratoperf::memory
