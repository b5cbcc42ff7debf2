#include "stratoswarm/kernel/namespace_traveller.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <new>

#include "stratoswarm/ending.hpp"
#include "stratoswarm/kernel/device.hpp"

namespace stratoperf::kernel {
namespace {

constexpr int kWake = 0;
constexpr int kGo = 1;
constexpr int kInode = 2;

// Looks at a word before sleeping: some tens of microseconds, longer than it takes from the waking
// to the start of a batch.
constexpr int kLooks = 20'000;

// How often a sleeper looks whether the other side still lives.
constexpr timespec kPatience = {.tv_sec = 0, .tv_nsec = 200'000'000};

void sleep_while(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  syscall(SYS_futex, &word, FUTEX_WAIT, value, &kPatience, nullptr, 0);
}

void wake_sleeper(std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

// Whether the word has another value by now.
bool has_changed(const std::atomic<std::uint32_t>& word, std::uint32_t value) {
  for (int look = 0; look < kLooks; ++look) {
    if (word.load(std::memory_order_acquire) != value) {
      return true;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  return word.load(std::memory_order_acquire) != value;
}

}  // namespace

Traveller::Traveller() {
  void* const page =
      mmap(nullptr, memory::kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    throw CommandError("mmap", errno);
  }
  page_ = memory::Mapping(page, memory::kPage);
  static_assert(sizeof(Shared) <= memory::kPage);
  shared_ = new (page) Shared{};
  // No handler of this process may run in the child; Ctrl-C is for the parent, which ends it.
  sigset_t all = {};
  sigset_t before = {};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t parent = getpid();
  child_ = fork();
  if (child_ == 0) {
    serve(*shared_, parent);
    _exit(0);
  }
  const int number = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child_ < 0) {
    throw CommandError("fork", number);
  }
}

Traveller::~Traveller() {
  if (!process_.is_this()) {
    return;  // a forked process has no child here
  }
  shared_->quit.store(1);
  end_process(child_);
  int status = 0;
  while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
}

void Traveller::serve(Shared& shared, pid_t parent) {
  std::uint32_t seen = 0;
  while (shared.quit.load() == 0 && getppid() == parent) {
    if (!has_changed(shared.request, seen)) {
      sleep_while(shared.request, seen);
      continue;
    }
    seen = shared.request.load(std::memory_order_acquire);
    shared.number = 0;
    if (shared.kind == kGo) {
      for (std::uint64_t i = 0; i < shared.count && shared.number == 0; ++i) {
        shared.number = setns(shared.target, shared.type) == 0 ? 0 : errno;
      }
    } else if (shared.kind == kInode) {
      struct stat facts = {};
      shared.inode = stat(static_cast<const char*>(shared.path), &facts) == 0 ? facts.st_ino : 0;
    }
    shared.reply.store(seen, std::memory_order_release);
    wake_sleeper(shared.reply);
  }
}

void Traveller::ask(int kind) {
  shared_->kind = kind;
  const std::uint32_t number = shared_->request.load() + 1;
  shared_->request.store(number, std::memory_order_release);
  wake_sleeper(shared_->request);
  while (!has_changed(shared_->reply, number - 1)) {
    sleep_while(shared_->reply, number - 1);
    if (kill(child_, 0) != 0 || waitpid(child_, nullptr, WNOHANG) == child_) {
      throw CommandError("setns in another process", ESRCH);
    }
  }
}

void Traveller::wake() { ask(kWake); }

void Traveller::go(int target, int type, std::uint64_t n) {
  shared_->target = target;
  shared_->type = type;
  shared_->count = n;
  ask(kGo);
  if (shared_->number != 0) {
    throw CommandError("setns", shared_->number);
  }
}

std::uint64_t Traveller::inode_of(const char* path) {
  std::strncpy(static_cast<char*>(shared_->path), path, sizeof(shared_->path) - 1);
  ask(kInode);
  return shared_->inode;
}

}  // namespace stratoperf::kernel
