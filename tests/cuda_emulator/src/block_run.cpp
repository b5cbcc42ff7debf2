#include "block_run.hpp"

#include <algorithm>
#include <numeric>
#include <sstream>
#include <thread>
#include <utility>

#include "diagnosis.hpp"
#include "machine.hpp"

namespace cuda_emulator {
namespace {

thread_local BlockRunner* running = nullptr;

// Ends the other threads of a block that went wrong.
struct Unwound {};

unsigned volume(const dim3& size) { return size.x * size.y * size.z; }

// The position of a thread, by its number in the block.
uint3 position(const dim3& size, unsigned number) {
  return {number % size.x, number / size.x % size.y, number / (size.x * size.y)};
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
  try {
    for (run_ready(); finished_ < count_; run_ready()) {
      if (!poll_again()) {
        complete_barrier();
      }
    }
  } catch (...) {
    unwind();
    throw;
  }
  if (!shared_.whole()) {
    fail("a thread wrote outside of the " + std::to_string(shared_.bytes()) +
         " bytes of shared memory");
  }
}

// Threads, their order and the shared memory of a block that is about to run.
void BlockRunner::prepare() {
  count_ = volume(launch_->block);
  finished_ = 0;
  polling_.clear();
  progress_ = true;
  unwinding_ = false;
  const dim3& grid = launch_->grid;
  const std::uint64_t number = (std::uint64_t{block_.z} * grid.y + block_.y) * grid.x + block_.x;
  random_ = Generator(Generator(launch_->seed).next() + number);
  shared_.renew(launch_->shared_bytes, random_);
  while (threads_.size() < count_) {
    threads_.push_back(std::make_unique<Thread>());
  }
  for (unsigned i = 0; i < count_; ++i) {
    start(i);
  }
  prepare_warps();
}

void BlockRunner::prepare_warps() {
  warps_.resize((count_ + kWarpSize - 1) / kWarpSize);
  order_.clear();
  const bool descending = launch_->order == Order::descending;
  unsigned first = 0;
  for (Warp& warp : warps_) {
    warp.size = std::min(kWarpSize, count_ - first);
    warp.waiting = 0;
    std::iota(warp.order.begin(), warp.order.end(), first);
    if (descending) {
      std::reverse(warp.order.begin(), warp.order.begin() + warp.size);
    }
    order_.push_back(&warp);
    first += kWarpSize;
  }
  if (descending) {
    std::reverse(order_.begin(), order_.end());
  }
}

void BlockRunner::start(unsigned number) {
  Thread& thread = *threads_[number];
  thread.index = position(launch_->block, number);
  thread.number = number;
  thread.state = Thread::State::ready;
  thread.fiber.start([this] {
    if (unwinding_) {
      return;
    }
    try {
      launch_->body();
    } catch (const Unwound&) {
      return;
    } catch (...) {
      thrown_ = std::current_exception();
    }
  });
}

// Runs every thread until it waits for threads of other warps, or polls. A warp runs ahead of the
// others as far as it can, or at random by a part of that: otherwise a warp's collectives would
// seem to hold the whole block together.
void BlockRunner::run_ready() {
  if (launch_->order != Order::random) {
    for (Warp* const warp : order_) {
      while (advance(*warp)) {
      }
    }
    return;
  }
  open_ = order_;
  while (!open_.empty()) {
    Warp*& chosen = open_[random_.below(open_.size())];
    const bool far = random_.below(2) == 0;
    bool more = advance(*chosen);
    while (more && far) {
      more = advance(*chosen);
    }
    if (!more) {
      chosen = open_.back();
      open_.pop_back();
    }
  }
}

// Runs threads of a warp until they have completed a collective. False when none can go on.
bool BlockRunner::advance(Warp& warp) {
  if (launch_->order == Order::random) {
    random_.shuffle(std::span(warp.order).first(warp.size));
  }
  for (unsigned i = 0; i < warp.size; ++i) {
    Thread& thread = *threads_[warp.order[i]];
    if (thread.state != Thread::State::ready) {
      continue;
    }
    resume(thread);
    if (thread.state == Thread::State::collective) {
      warp.waiting |= 1u << thread.lane();
      if (complete_collective(thread, warp)) {
        return true;
      }
    }
  }
  return false;
}

void BlockRunner::resume(Thread& thread) {
  current_ = &thread;
  if (!thread.fiber.resume()) {
    thread.state = Thread::State::finished;
    ++finished_;
  }
  current_ = nullptr;
  if (thrown_ != nullptr) {
    std::rethrow_exception(std::exchange(thrown_, nullptr));
  }
  if (thread.state == Thread::State::polling) {
    polling_.push_back(&thread);
  } else {
    progress_ = true;
  }
}

void BlockRunner::wait(Thread::State state) {
  current_->state = state;
  current_->fiber.suspend();
  if (unwinding_) {
    throw Unwound();
  }
  if (machine().lost()) {
    throw DeviceLost();
  }
}

// Completes the collective that the last thread to come waits at, if all lanes of its mask are
// there. Those that are not may still come: only when nothing else can run is it a mistake.
bool BlockRunner::complete_collective(const Thread& last, Warp& warp) {
  if ((last.mask & ~warp.waiting) != 0) {
    return false;
  }
  Thread* lanes[kWarpSize] = {};
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if ((last.mask >> lane & 1) == 0) {
      continue;
    }
    lanes[lane] = threads_[last.warp() * kWarpSize + lane].get();
    if (!same_place(*lanes[lane], last) || lanes[lane]->mask != last.mask) {
      return false;
    }
  }
  try {
    compute(last.kind, last.mask, lanes);
  } catch (const KernelFailure& failure) {
    fail(std::string(failure.what()) + ", at " + place(last.where));
  }
  for (Thread* const thread : lanes) {
    if (thread != nullptr) {
      thread->state = Thread::State::ready;
    }
  }
  warp.waiting &= ~last.mask;
  return true;
}

// All threads must wait at the same barrier: no other is left that could go on.
void BlockRunner::complete_barrier() {
  const Thread* first = nullptr;
  unsigned yes = 0;
  for (const auto& thread : threads()) {
    if (thread->state == Thread::State::collective) {
      fail("unfinished collective at " + place(thread->where) + ": " +
           why_unfinished(*thread, threads()) + "; " + whereabouts(threads()));
    }
    if (thread->state == Thread::State::finished) {
      continue;
    }
    first = first == nullptr ? thread.get() : first;
    if (!same_place(*thread, *first)) {
      fail("barrier divergence: threads of a block wait at different barriers; " +
           whereabouts(threads()));
    }
    yes += thread->predicate ? 1 : 0;
  }
  if (finished_ > 0) {
    fail("barrier divergence: some threads have ended, the others wait for them; " +
         whereabouts(threads()));
  }
  for (const auto& thread : threads()) {
    thread->votes = thread->vote == Vote::count ? static_cast<int>(yes)
                    : thread->vote == Vote::any ? yes > 0
                                                : yes == count_;
    thread->state = Thread::State::ready;
  }
}

// Lets the threads that poll look again. False when none does.
bool BlockRunner::poll_again() {
  if (polling_.empty()) {
    return false;
  }
  const std::uint64_t now = nanoseconds();
  if (std::exchange(progress_, false)) {
    polling_since_ = now;
  } else if (now - polling_since_ > launch_->patience_ns) {
    fail("the block has polled in vain for " + std::to_string(launch_->patience_ns / 1'000'000) +
         " ms; a block must not wait for another; " + whereabouts(threads()));
  }
  for (Thread* const thread : polling_) {
    thread->state = Thread::State::ready;
  }
  polling_.clear();
  std::this_thread::yield();  // who is to answer may need the CPU
  return true;
}

// Ends the threads that still wait, so that what is on their stacks goes away.
void BlockRunner::unwind() {
  unwinding_ = true;
  for (const auto& thread : threads()) {
    if (thread->state != Thread::State::finished) {
      current_ = thread.get();
      thread->fiber.resume();
      thread->state = Thread::State::finished;
    }
  }
  current_ = nullptr;
}

void BlockRunner::fail(const std::string& what) const {
  std::ostringstream message;
  message << "block (" << block_.x << ", " << block_.y << ", " << block_.z << ") of " << count_
          << " threads: " << what;
  throw KernelFailure(message.str());
}

}  // namespace cuda_emulator
