#include "stratoswarm/kernel/syscall_operation.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <utility>

#include "stratoswarm/kernel/child.hpp"
#include "stratoswarm/kernel/device.hpp"
#include "stratoswarm/kernel/tiny_program.hpp"
#include "stratoswarm/memory/fault_operation.hpp"

namespace stratoperf::kernel {
namespace {

// Counts the calls whose result is right.
class CountedOperation : public Operation {
 public:
  explicit CountedOperation(const char* name) : name_(name) {}

  Verification verify() final {
    return {made_, wrong_ == 0,
            wrong_ == 0 ? std::string()
                        : std::to_string(wrong_) + " of " + std::to_string(made_) + " calls of " +
                              name_ + " had a wrong result"};
  }

 protected:
  void count(std::uint64_t made, std::uint64_t right) {
    made_ += made;
    wrong_ += made - right;
  }
  const char* name() const { return name_; }

 private:
  const char* name_;
  std::uint64_t made_ = 0;
  std::uint64_t wrong_ = 0;
};

class GetpidOperation final : public CountedOperation {
 public:
  GetpidOperation() : CountedOperation("getpid"), own_(getpid()) {}

  void run(std::uint64_t n) override {
    std::uint64_t right = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      right += syscall(SYS_getpid) == own_ ? 1 : 0;
    }
    count(n, right);
  }

 private:
  long own_;
};

class OpenatOperation final : public CountedOperation {
 public:
  OpenatOperation() : CountedOperation("openat") {}

  void run(std::uint64_t n) override {
    for (std::uint64_t i = 0; i < n; ++i) {
      const int opened = openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (opened < 0 || close(opened) != 0) {
        throw CommandError(name(), errno);
      }
    }
    count(n, n);
  }
};

class MmapOperation final : public CountedOperation {
 public:
  MmapOperation() : CountedOperation("mmap") {}

  void run(std::uint64_t n) override {
    for (std::uint64_t i = 0; i < n; ++i) {
      void* const page =
          mmap(nullptr, memory::kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (page == MAP_FAILED || munmap(page, memory::kPage) != 0) {
        throw CommandError(name(), errno);
      }
    }
    count(n, n);
  }
};

STRATOPERF_IN_CHILD int end_at_once(void* /*argument*/) { return kTinyStatus; }

STRATOPERF_IN_CHILD int start_program(void* path) {
  std::array<char*, 2> words = {static_cast<char*>(path), nullptr};
  std::array<char*, 1> environment = {nullptr};
  execve(static_cast<char*>(path), words.data(), environment.data());
  return 1;
}

// Starts a child that ends, and waits for it.
class ChildOperation final : public CountedOperation {
 public:
  ChildOperation() : CountedOperation("clone"), body_(end_at_once) {}
  explicit ChildOperation(std::unique_ptr<TinyProgram> program)
      : CountedOperation("execve"),
        program_(std::move(program)),
        path_(program_->path()),
        body_(start_program) {}

  void run(std::uint64_t n) override {
    std::uint64_t right = 0;
    std::uint64_t made = 0;
    for (; made < n && !stop_requested(); ++made) {
      const pid_t child = children_.start(body_, path_.data(), 0);
      if (child < 0) {
        throw CommandError(name(), errno);
      }
      right += status_of(child) == kTinyStatus ? 1 : 0;
    }
    count(made, right);
  }

 private:
  Children children_ = {};
  std::unique_ptr<TinyProgram> program_ = {};
  std::string path_ = {};
  Body body_;
};

}  // namespace

std::unique_ptr<Operation> syscall_operation(Syscall call) {
  switch (call) {
    case Syscall::getpid:
      return std::make_unique<GetpidOperation>();
    case Syscall::openat:
      return std::make_unique<OpenatOperation>();
    case Syscall::clone:
      return std::make_unique<ChildOperation>();
    case Syscall::execve:
      return std::make_unique<ChildOperation>(std::make_unique<TinyProgram>());
    case Syscall::mmap:
      return std::make_unique<MmapOperation>();
    case Syscall::page_fault:
      return std::make_unique<memory::FaultOperation>(memory::Fault::minor, std::string());
  }
  throw std::invalid_argument("call: it is not one that is measured");
}

}  // namespace stratoperf::kernel
