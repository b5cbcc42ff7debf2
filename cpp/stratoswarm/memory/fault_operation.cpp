#include "stratoswarm/memory/fault_operation.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "stratoswarm/memory/fault_count.hpp"

namespace stratoperf::memory {
namespace {

constexpr std::uint64_t kHugePages = 64;  // 128 MiB

// Faults of the sampler's own, beside half as many as are measured: the kernel may take pages away
// to move them to another node.
constexpr std::uint64_t kOtherFaults = 1000;

std::uint64_t count_of(Fault fault) {
  const FaultCount count = faults_of_this_thread();
  return fault == Fault::major ? count.major : count.minor;
}

}  // namespace

FaultOperation::FaultOperation(Fault fault, const std::string& directory)
    : fault_(fault),
      page_(fault == Fault::huge ? kHugePage : kPage),
      pages_(fault == Fault::huge ? kHugePages : kFaultPages) {
  if (fault_ == Fault::major) {
    make_file(directory);
    return;
  }
  region_ = Mapping::reserve(page_ * pages_, page_);
  const int advice = fault_ == Fault::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
  if (madvise(region_.data(), region_.size(), advice) != 0 && fault_ == Fault::huge) {
    throw TierError("this kernel has no transparent huge pages: " + reason_of(errno));
  }
}

void FaultOperation::make_file(const std::string& directory) {
  file_ = open_nameless(directory);
  std::array<std::uint64_t, kPage / sizeof(std::uint64_t)> content = {};
  for (std::uint64_t page = 0; page < pages_; ++page) {
    content[0] = fault_tag(page);
    if (write(file_.number(), content.data(), kPage) != static_cast<ssize_t>(kPage)) {
      throw TierError("cannot write a file in " + directory + ": " + reason_of(errno));
    }
  }
  if (fsync(file_.number()) != 0) {  // only what is on the disk leaves the page cache
    throw TierError("cannot sync a file in " + directory + ": " + reason_of(errno));
  }
  void* const address = mmap(nullptr, page_ * pages_, PROT_READ, MAP_PRIVATE, file_.number(), 0);
  if (address == MAP_FAILED) {
    throw TierError("cannot map a file in " + directory + ": " + reason_of(errno));
  }
  region_ = Mapping(address, page_ * pages_);
  // One page a fault: no reading ahead.
  madvise(region_.data(), region_.size(), MADV_RANDOM);
  take_away();
}

void FaultOperation::take_away() {
  madvise(region_.data(), region_.size(), MADV_DONTNEED);
  if (file_) {
    posix_fadvise(file_.number(), 0, 0, POSIX_FADV_DONTNEED);
  }
  next_ = 0;
}

void FaultOperation::prepare(std::uint64_t n) {
  if (n > pages_) {
    throw std::invalid_argument("batch: a batch of " + std::to_string(n) +
                                " faults does not fit a region of " + std::to_string(pages_) +
                                " pages");
  }
  count_faults();
  if (next_ + n > pages_) {
    check_pages();
    take_away();
  }
  before_ = count_of(fault_);
}

// ThreadSanitizer would touch its shadow of each page too, which is a fault of its own.
__attribute__((no_sanitize("thread"))) void FaultOperation::run(std::uint64_t n) {
  std::uint64_t sum = 0;
  if (fault_ == Fault::major) {
    for (std::uint64_t i = 0; i < n && !stop_requested(); ++i) {
      sum += *reinterpret_cast<const volatile std::uint64_t*>(region_.data() + (next_ + i) * page_);
    }
  } else {
    // Written to, and not read before: that would be a fault of its own, which maps the kernel's
    // shared page of zeros.
    for (std::uint64_t i = 0; i < n; ++i) {
      *reinterpret_cast<volatile std::uint64_t*>(region_.data() + (next_ + i) * page_) = 1;
    }
  }
  sum_ += sum;
  for (std::uint64_t i = 0; fault_ == Fault::major && i < n; ++i) {
    expected_sum_ += fault_tag(next_ + i);
  }
  next_ += n;
  due_ += n;
  touched_ += n;
}

void FaultOperation::count_faults() {
  if (due_ == 0) {
    return;
  }
  const std::uint64_t counted = count_of(fault_) - before_;
  missing_ += due_ - std::min(due_, counted);
  counted_ += counted;
  due_ = 0;
}

// Of memory: whether what was touched is a cleared page with the word that was written to it, and a
// huge one where that is wanted.
void FaultOperation::check_pages() {
  if (fault_ == Fault::major) {
    return;
  }
  for (std::uint64_t page = 0; page < next_; ++page) {
    const auto* const words = reinterpret_cast<const std::uint64_t*>(region_.data() + page * page_);
    damaged_ += words[0] == 1 && words[page_ / sizeof(std::uint64_t) - 1] == 0 ? 0 : 1;
  }
  if (fault_ == Fault::huge) {
    missing_ += next_ - std::min(next_, backed_by_huge_pages() / kHugePage);
  }
}

std::uint64_t FaultOperation::backed_by_huge_pages() const {
  constexpr std::string_view kKey = "AnonHugePages:";
  std::ifstream maps("/proc/self/smaps");
  const std::uint64_t start = reinterpret_cast<std::uintptr_t>(region_.data());
  std::uint64_t bytes = 0;
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    char dash = 0;
    // Either the first line of a mapping, LOW-HIGH in hexadecimal, or a fact about it.
    if (words >> std::hex >> low >> dash >> high && dash == '-') {
      inside = low < start + region_.size() && high > start;
    } else if (inside && line.starts_with(kKey)) {
      std::uint64_t kibibytes = 0;
      std::istringstream(line.substr(kKey.size())) >> kibibytes;
      bytes += kibibytes * 1024;
    }
  }
  return bytes;
}

Verification FaultOperation::verify() {
  count_faults();
  check_pages();
  if (sum_ != expected_sum_ || damaged_ > 0) {
    return {touched_, false, "a page holds something else than it should"};
  }
  if (missing_ > 0) {
    const char* const kind = fault_ == Fault::major  ? "major faults"
                             : fault_ == Fault::huge ? "faults of a huge page"
                                                     : "page faults";
    return {
        touched_, false,
        std::to_string(missing_) + " of " + std::to_string(touched_) + " touches were no " + kind};
  }
  if (fault_ != Fault::major && counted_ > touched_ + touched_ / 2 + kOtherFaults) {
    return {touched_, false,
            std::to_string(touched_) + " touches took " + std::to_string(counted_) +
                " page faults, more than one each"};
  }
  return {touched_, true};
}

}  // namespace stratoperf::memory
