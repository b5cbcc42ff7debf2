// System calls without libc: for the container's init, which has none, and for the child that
// enters the sandbox, which shares its memory with the suspended helper and must not touch errno.
#pragma once

#include <sys/syscall.h>

#include <cstdint>
#include <type_traits>

namespace stratoperf::containers {

template <typename Value>
long as_word(Value value) {
  if constexpr (std::is_null_pointer_v<Value>) {
    return 0;
  } else if constexpr (std::is_pointer_v<Value>) {
    return reinterpret_cast<long>(value);
  } else {
    return static_cast<long>(value);
  }
}

inline long raw_call(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = 0;
  long result = number;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = 0;
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
#else
#error "containers need x86-64 or AArch64"
#endif
}

// The result, or the negative error number.
template <typename A = int, typename B = int, typename C = int, typename D = int, typename E = int>
long call(long number, A a = A(), B b = B(), C c = C(), D d = D(), E e = E()) {
  return raw_call(number, as_word(a), as_word(b), as_word(c), as_word(d), as_word(e));
}

inline std::uint64_t now_ns() {
  struct {
    std::int64_t seconds;
    std::int64_t nanoseconds;
  } time = {0, 0};
  call(SYS_clock_gettime, 1 /* CLOCK_MONOTONIC */, &time);
  return static_cast<std::uint64_t>(time.seconds) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.nanoseconds);
}

}  // namespace stratoperf::containers
