#include "block_run.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <numeric>
#include <sstream>
#include <string_view>
#include <utility>

namespace cuda_emulator {
namespace {

thread_local BlockRunner* running = nullptr;

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kCanary = 0;  // AddressSanitizer sees every access out of range
#else
constexpr std::size_t kCanary = 64;
#endif
constexpr unsigned char kCanaryByte = 0xc5;

unsigned volume(const dim3& size) { return size.x * size.y * size.z; }

// The position of a thread, by its number in the block.
uint3 position(const dim3& size, unsigned number) {
  return {number % size.x, number / size.x % size.y, number / (size.x * size.y)};
}

std::string place(const std::source_location& where) {
  const std::string_view path = where.file_name();
  return std::string(path.substr(path.rfind('/') + 1)) + ":" + std::to_string(where.line());
}

bool same_place(const std::source_location& a, const std::source_location& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         std::strcmp(a.file_name(), b.file_name()) == 0;
}

}  // namespace

BlockRunner& runner() {
  if (running == nullptr) {
    throw std::logic_error("this is only for code of kernels, and none runs in this thread");
  }
  return *running;
}

void BlockRunner::run(const Launch& launch, const uint3& block) {
  launch_ = &launch;
  block_ = block;
  prepare();
  running = this;
  struct Leave {
    ~Leave() { running = nullptr; }
  } const leave;
  while (true) {
    if (run_ready()) {
      continue;
    }
    // The others wait for each other. Lanes first: a barrier needs those that a warp still holds.
    if (complete_collectives()) {
      continue;
    }
    const auto threads = threads_.begin();
    if (std::all_of(threads, threads + count_,
                    [](const auto& thread) { return thread->state == Thread::State::finished; })) {
      break;
    }
    complete_barrier();
  }
  check_shared();
}

// Threads, their order and the shared memory of a block that is about to run.
void BlockRunner::prepare() {
  count_ = volume(launch_->block);
  while (threads_.size() < count_) {
    threads_.push_back(std::make_unique<Thread>());
  }
  thrown_ = nullptr;
  random_.seed(launch_->seed ^ (block_.x + (std::uint64_t{block_.y} << 32) + block_.z));
  shared_memory_ =
      std::make_unique_for_overwrite<unsigned char[]>(launch_->shared_bytes + 2 * kCanary);
  shared_ = shared_memory_.get() + kCanary;
  std::fill_n(shared_memory_.get(), kCanary, kCanaryByte);
  std::generate_n(shared_, launch_->shared_bytes,
                  [this] { return static_cast<unsigned char>(random_()); });
  std::fill_n(shared_ + launch_->shared_bytes, kCanary, kCanaryByte);
  order_.resize(count_);
  std::iota(order_.begin(), order_.end(), 0u);
  if (launch_->order == Order::descending) {
    std::reverse(order_.begin(), order_.end());
  }
  for (unsigned number = 0; number < count_; ++number) {
    Thread& thread = *threads_[number];
    thread.index = position(launch_->block, number);
    thread.number = number;
    thread.state = Thread::State::ready;
    thread.fiber.start([this] {
      try {
        launch_->body();
      } catch (...) {
        thrown_ = std::current_exception();
      }
    });
  }
}

// Runs every thread that can go on, to its next synchronization. False when none could.
bool BlockRunner::run_ready() {
  if (launch_->order == Order::random) {
    std::shuffle(order_.begin(), order_.end(), random_);
  }
  bool any = false;
  for (const unsigned number : order_) {
    Thread& thread = *threads_[number];
    if (thread.state == Thread::State::ready) {
      any = true;
      resume(thread);
    }
  }
  return any;
}

void BlockRunner::resume(Thread& thread) {
  current_ = &thread;
  if (!thread.fiber.resume()) {
    thread.state = Thread::State::finished;
  }
  current_ = nullptr;
  if (thrown_ != nullptr) {
    std::rethrow_exception(std::exchange(thrown_, nullptr));
  }
}

// For the running thread, which has written what it waits for: lets the others run.
void BlockRunner::wait() { current_->fiber.suspend(); }

bool BlockRunner::complete_collectives() {
  bool any = false;
  for (unsigned number = 0; number < count_; ++number) {
    if (threads_[number]->state == Thread::State::collective) {
      any = complete_collective(*threads_[number]) || any;
    }
  }
  return any;
}

// Completes the collective that a thread waits at, if all lanes of its mask are there.
bool BlockRunner::complete_collective(Thread& first) {
  const unsigned warp = first.number / kWarpSize * kWarpSize;
  Thread* lanes[kWarpSize] = {};
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if ((first.mask >> lane & 1) == 0) {
      continue;
    }
    if (warp + lane >= count_) {
      fail("a collective at " + place(first.where) + " waits for lane " + std::to_string(lane) +
           ", which the block does not have");
    }
    Thread& other = *threads_[warp + lane];
    if (other.state == Thread::State::finished) {
      fail("unfinished collective at " + place(first.where) + ": lane " + std::to_string(lane) +
           " of its mask has ended; " + waiting());
    }
    if (other.state != Thread::State::collective || other.kind != first.kind ||
        !same_place(other.where, first.where)) {
      return false;
    }
    if (other.mask != first.mask) {
      fail("lanes of one collective at " + place(first.where) + " have different masks; " +
           waiting());
    }
    lanes[lane] = &other;
  }
  try {
    compute(first.kind, first.mask, lanes);
  } catch (const KernelFailure& failure) {
    fail(std::string(failure.what()) + ", at " + place(first.where));
  }
  for (Thread* const thread : lanes) {
    if (thread != nullptr) {
      thread->state = Thread::State::ready;
    }
  }
  return true;
}

// All threads must wait at the same barrier: no other is left that could go on.
void BlockRunner::complete_barrier() {
  const Thread* first = nullptr;
  unsigned finished = 0;
  unsigned yes = 0;
  for (unsigned number = 0; number < count_; ++number) {
    const Thread& thread = *threads_[number];
    if (thread.state == Thread::State::finished) {
      ++finished;
      continue;
    }
    if (thread.state == Thread::State::collective) {
      fail("unfinished collective at " + place(thread.where) + "; " + waiting());
    }
    if (first == nullptr) {
      first = &thread;
    }
    if (!same_place(thread.where, first->where)) {
      fail("barrier divergence: threads of a block wait at different barriers; " + waiting());
    }
    yes += thread.predicate ? 1 : 0;
  }
  if (finished > 0) {
    fail("barrier divergence: some threads have ended, the others wait for them; " + waiting());
  }
  for (unsigned number = 0; number < count_; ++number) {
    Thread& thread = *threads_[number];
    thread.votes = thread.vote == Vote::count ? static_cast<int>(yes)
                   : thread.vote == Vote::any ? yes > 0
                                              : yes == count_;
    thread.state = Thread::State::ready;
  }
}

void BlockRunner::check_shared() const {
  const unsigned char* const end = shared_ + launch_->shared_bytes;
  const auto whole = [](unsigned char byte) { return byte == kCanaryByte; };
  if (!std::all_of(shared_memory_.get(), shared_memory_.get() + kCanary, whole) ||
      !std::all_of(end, end + kCanary, whole)) {
    fail("a thread wrote outside of the " + std::to_string(launch_->shared_bytes) +
         " bytes of shared memory");
  }
}

void BlockRunner::fail(const std::string& what) const {
  std::ostringstream message;
  message << "block (" << block_.x << ", " << block_.y << ", " << block_.z << "): " << what;
  throw KernelFailure(message.str());
}

// Where the threads of the block are, the same places together.
std::string BlockRunner::waiting() const {
  std::map<std::string, std::pair<unsigned, unsigned>> places;  // the first thread and how many
  for (unsigned number = 0; number < count_; ++number) {
    const Thread& thread = *threads_[number];
    std::string name = "ended";
    if (thread.state == Thread::State::barrier) {
      name = "at the barrier " + place(thread.where);
    } else if (thread.state == Thread::State::collective) {
      name = "at the collective " + place(thread.where);
    }
    ++places.try_emplace(name, number, 0).first->second.second;
  }
  std::ostringstream text;
  const char* separator = "";
  for (const auto& [name, threads] : places) {
    text << separator << threads.second << " threads " << name << " (the first is " << threads.first
         << ")";
    separator = ", ";
  }
  return text.str();
}

}  // namespace cuda_emulator
