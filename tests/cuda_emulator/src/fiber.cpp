#include "fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

// Where a sanitizer is on, it must know of every switch: it keeps a shadow of each stack.
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define EMULATOR_ADDRESS(call) call
#else
#define EMULATOR_ADDRESS(call) static_cast<void>(0)
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define EMULATOR_THREAD(call) call
#else
#define EMULATOR_THREAD(call) static_cast<void>(0)
#endif

namespace cuda_emulator {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStackBytes = std::size_t{256} << 10;
#else
constexpr std::size_t kStackBytes = std::size_t{64} << 10;
#endif

std::size_t page() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

Stack::Stack() {
  memory_ = mmap(nullptr, page() + kStackBytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory_ == MAP_FAILED) {
    throw std::bad_alloc();
  }
  mprotect(memory_, page(), PROT_NONE);
}

Stack::Stack(Stack&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}

Stack::~Stack() {
  if (memory_ != nullptr) {
    munmap(memory_, page() + kStackBytes);
  }
}

void* Stack::data() const { return static_cast<char*>(memory_) + page(); }

std::size_t Stack::size() { return kStackBytes; }

Fiber::Fiber() { EMULATOR_THREAD(sanitizer_fiber_ = __tsan_create_fiber(0)); }

Fiber::~Fiber() { EMULATOR_THREAD(__tsan_destroy_fiber(sanitizer_fiber_)); }

void Fiber::start(std::function<void()> function) {
  function_ = std::move(function);
  finished_ = false;
  fake_stack_ = nullptr;
  getcontext(&own_);
  own_.uc_stack.ss_sp = stack_.data();
  own_.uc_stack.ss_size = Stack::size();
  own_.uc_link = nullptr;
  // makecontext passes ints, and a pointer is two of them.
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  makecontext(&own_, reinterpret_cast<void (*)()>(&Fiber::enter), 2,
              static_cast<unsigned>(std::uint64_t{self} >> 32), static_cast<unsigned>(self));
}

bool Fiber::resume() {
  EMULATOR_THREAD(sanitizer_resumer_ = __tsan_get_current_fiber());
  EMULATOR_ADDRESS(
      __sanitizer_start_switch_fiber(&resumer_fake_stack_, stack_.data(), Stack::size()));
  EMULATOR_THREAD(__tsan_switch_to_fiber(sanitizer_fiber_, 0));
  swapcontext(&resumer_, &own_);
  EMULATOR_ADDRESS(__sanitizer_finish_switch_fiber(resumer_fake_stack_, nullptr, nullptr));
  return !finished_;
}

void Fiber::suspend() {
  leave(false);
  EMULATOR_ADDRESS(__sanitizer_finish_switch_fiber(fake_stack_, &resumer_bottom_, &resumer_size_));
}

void Fiber::leave(bool finished) {
  finished_ = finished;
  // A fiber that ends gives its fake stack back.
  EMULATOR_ADDRESS(__sanitizer_start_switch_fiber(finished ? nullptr : &fake_stack_,
                                                  resumer_bottom_, resumer_size_));
  EMULATOR_THREAD(__tsan_switch_to_fiber(sanitizer_resumer_, 0));
  swapcontext(&own_, &resumer_);
}

void Fiber::enter(unsigned high, unsigned low) {
  const std::uint64_t address = std::uint64_t{high} << 32 | low;
  Fiber& fiber = *reinterpret_cast<Fiber*>(static_cast<std::uintptr_t>(address));
  EMULATOR_ADDRESS(__sanitizer_finish_switch_fiber(fiber.fake_stack_, &fiber.resumer_bottom_,
                                                   &fiber.resumer_size_));
  fiber.function_();
  fiber.leave(true);
  std::abort();  // resumed after its end: returning from here would end the process in silence
}

}  // namespace cuda_emulator
