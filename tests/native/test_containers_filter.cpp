// The filter of system calls, run by an interpreter of its few instructions, against the table that
// it was made from.
#include <doctest.h>

#include <cerrno>
#include <cstdint>

#include "stratoswarm/containers/seccomp_filter.hpp"

namespace {

using namespace stratoperf::containers;

struct Answered {
  std::uint32_t value;
  int steps;
};

Answered run_filter(std::uint32_t architecture, std::uint32_t number, std::uint32_t argument) {
  std::uint32_t accumulator = 0;
  int steps = 0;
  for (std::size_t at = 0; at < kFilter.count;) {
    const sock_filter& step = kFilter.code[at++];
    ++steps;
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        accumulator = step.k == offsetof(seccomp_data, arch) ? architecture
                      : step.k == offsetof(seccomp_data, nr) ? number
                                                             : argument;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        at += accumulator == step.k ? step.jt : step.jf;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        at += accumulator >= step.k ? step.jt : step.jf;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        at += (accumulator & step.k) != 0 ? step.jt : step.jf;
        break;
      case BPF_RET | BPF_K:
        return {step.k, steps};
      default:
        FAIL("an unknown instruction");
    }
  }
  FAIL("the filter has no answer");
  return {};
}

#if defined(__x86_64__)
constexpr std::uint32_t kOwn = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kOwn = AUDIT_ARCH_AARCH64;
#endif

}  // namespace

TEST_CASE("every call has the answer of the table, after few steps") {
  for (std::uint32_t number = 0; number < 2000; ++number) {
    CAPTURE(number);
    const Answered answered = run_filter(kOwn, number, 0);
    const bool is_denied = std::ranges::binary_search(kDenied, number);
    const bool is_unknown = number > kLastKnown || number == 435;
    const std::uint32_t expected = is_unknown  ? SECCOMP_RET_ERRNO | ENOSYS
                                   : is_denied ? SECCOMP_RET_ERRNO | EPERM
                                               : SECCOMP_RET_ALLOW;
    CHECK(answered.value == expected);
    CHECK(answered.steps <= 14);
  }
}

TEST_CASE("a clone into new namespaces is denied, and any other is not") {
  CHECK(run_filter(kOwn, SYS_clone, 0).value == SECCOMP_RET_ALLOW);
  for (const std::uint32_t flag : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET}) {
    CHECK(run_filter(kOwn, SYS_clone, flag | CLONE_VM).value == (SECCOMP_RET_ERRNO | EPERM));
  }
}

TEST_CASE("a call of another architecture ends the process, and one of another table is unknown") {
  CHECK(run_filter(AUDIT_ARCH_I386, 1, 0).value == SECCOMP_RET_KILL_PROCESS);
  CHECK(run_filter(kOwn, 0x40000000U | SYS_ptrace, 0).value == (SECCOMP_RET_ERRNO | ENOSYS));
  CHECK(run_filter(kOwn, 0xffffffffU, 0).value == (SECCOMP_RET_ERRNO | ENOSYS));
}
