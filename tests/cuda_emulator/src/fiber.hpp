// Threads of a block: stacks that one thread of the host switches between.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

// The functions that never return, or return on another stack, would unbalance ThreadSanitizer's
// record of calls.
#define EMULATOR_UNRECORDED __attribute__((no_sanitize("thread")))

namespace cuda_emulator {

// A stack of its own; below it a page that must not be touched.
class Stack {
 public:
  Stack();
  Stack(Stack&& other) noexcept;
  Stack& operator=(Stack&&) = delete;
  ~Stack();
  void* data() const;
  static std::size_t size();

 private:
  void* memory_ = nullptr;
};

// Runs a function on a stack of its own until it suspends itself or returns. A fiber that is
// dropped before its function has returned takes the objects on its stack with it.
class Fiber {
 public:
  Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber();

  // The function to run next. Exceptions must not leave it.
  void start(std::function<void()> function);

  // Runs it until it suspends itself (true) or returns (false). Not from within a fiber.
  bool resume();

  // Goes back to whoever resumed the running fiber.
  void suspend();

 private:
  EMULATOR_UNRECORDED static void enter(unsigned high, unsigned low);
  EMULATOR_UNRECORDED void leave(bool finished);

  Stack stack_;
  std::function<void()> function_;
  ucontext_t own_ = {};
  ucontext_t resumer_ = {};
  bool finished_ = true;
  // What the sanitizers want to know of a switch.
  void* sanitizer_fiber_ = nullptr;
  void* sanitizer_resumer_ = nullptr;
  void* fake_stack_ = nullptr;
  void* resumer_fake_stack_ = nullptr;
  const void* resumer_bottom_ = nullptr;
  std::size_t resumer_size_ = 0;
};

}  // namespace cuda_emulator
