// The filter of system calls: a decision tree over the sorted numbers, made by the compiler.
// Loading a filter executes it once for every number, so what matters is the length of a path.
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace stratoperf::containers {

// Numbers that kernels got after the headers that this was built with.
constexpr std::uint32_t kMountSetattr = 442;
constexpr std::uint32_t kQuotactlFd = 443;
constexpr std::uint32_t kLastKnown =
    462;  // mseal; later ones do not exist, as far as a container sees

// What a container is denied (EPERM): new namespaces and mounts, other processes' memory, the
// kernel's keys, modules, clocks and programs.
constexpr auto kDenied = [] {
  auto numbers = std::to_array<std::uint32_t>({
      SYS_ptrace,
      SYS_syslog,
      SYS_vhangup,
      SYS_pivot_root,
      SYS_adjtimex,
      SYS_chroot,
      SYS_acct,
      SYS_settimeofday,
      SYS_mount,
      SYS_umount2,
      SYS_swapon,
      SYS_swapoff,
      SYS_reboot,
      SYS_sethostname,
      SYS_setdomainname,
      SYS_init_module,
      SYS_delete_module,
      SYS_quotactl,
      SYS_clock_settime,
      SYS_kexec_load,
      SYS_add_key,
      SYS_request_key,
      SYS_keyctl,
      SYS_unshare,
      SYS_move_pages,
      SYS_perf_event_open,
      SYS_fanotify_init,
      SYS_name_to_handle_at,
      SYS_open_by_handle_at,
      SYS_clock_adjtime,
      SYS_setns,
      SYS_process_vm_readv,
      SYS_process_vm_writev,
      SYS_kcmp,
      SYS_finit_module,
      SYS_kexec_file_load,
      SYS_bpf,
      SYS_userfaultfd,
      425 /* io_uring_setup */,
      426,
      427,
      428 /* open_tree */,
      429 /* move_mount */,
      430,
      431,
      432,
      433 /* fspick */,
      438 /* pidfd_getfd */,
      kMountSetattr,
      kQuotactlFd,
  });
  std::ranges::sort(numbers);
  return numbers;
}();

enum class Answer : std::uint32_t { allow, deny, unknown, clone, no_clone3 };

struct Span {
  std::uint32_t first;
  Answer answer;
};

constexpr std::size_t kMaxSpans = 2 * (kDenied.size() + 2) + 2;

struct Spans {
  std::array<Span, kMaxSpans> spans{};
  std::size_t count = 0;

  constexpr void add(std::uint32_t first, Answer answer) {
    if (count > 0 && spans[count - 1].answer == answer) {
      return;
    }
    spans[count++] = {first, answer};
  }
};

constexpr Answer answer_for(std::uint32_t number) {
  if (number == SYS_clone) {
    return Answer::clone;
  }
  if (number == 435) {
    return Answer::no_clone3;  // a filter cannot see its flags; libraries fall back to clone
  }
  return std::ranges::binary_search(kDenied, number) ? Answer::deny : Answer::allow;
}

constexpr Spans kSpans = [] {
  Spans spans;
  for (std::uint32_t number = 0; number <= kLastKnown; ++number) {
    spans.add(number, answer_for(number));
  }
  spans.add(kLastKnown + 1, Answer::unknown);
  return spans;
}();

// A test for each border between two spans, and the answers behind them, which all tests share:
// what loading costs grows with the number of instructions too.
struct Program {
  static constexpr std::size_t kHead = 4;
  static constexpr std::size_t kAnswers = kHead + kSpans.count - 1;
  static constexpr std::size_t kClone = kAnswers;  // two instructions; a jump goes forwards only
  static constexpr std::size_t kAllow = kAnswers + 2;
  static constexpr std::size_t kDeny = kAnswers + 3;
  static constexpr std::size_t kUnknown = kAnswers + 4;
  static constexpr std::size_t kCount = kAnswers + 5;
  static_assert(kCount < 256, "a test has to reach every answer");

  std::array<sock_filter, kCount> code{};
  unsigned short count = static_cast<unsigned short>(kCount);

  static constexpr std::size_t place_of(Answer answer) {
    switch (answer) {
      case Answer::allow:
        return kAllow;
      case Answer::deny:
        return kDeny;
      case Answer::clone:
        return kClone;
      default:
        return kUnknown;
    }
  }

  constexpr void set(std::size_t place, int operation, std::uint32_t value, std::size_t yes,
                     std::size_t no) {
    code[place] = {static_cast<std::uint16_t>(operation), static_cast<std::uint8_t>(yes),
                   static_cast<std::uint8_t>(no), value};
  }

  // The tree for the spans [first, last), whose tests begin at `place`: halves are told apart by
  // the first number of the upper one.
  constexpr void set_tree(std::size_t place, std::size_t first, std::size_t last) {
    const std::size_t middle = first + (last - first) / 2;
    const std::size_t lower = place + 1;
    const std::size_t upper = lower + (middle - first - 1);
    const bool lower_is_answer = middle - first == 1;
    const bool upper_is_answer = last - middle == 1;
    set(place, BPF_JMP | BPF_JGE | BPF_K, kSpans.spans[middle].first,
        (upper_is_answer ? place_of(kSpans.spans[middle].answer) : upper) - place - 1,
        (lower_is_answer ? place_of(kSpans.spans[first].answer) : lower) - place - 1);
    if (!lower_is_answer) {
      set_tree(lower, first, middle);
    }
    if (!upper_is_answer) {
      set_tree(upper, middle, last);
    }
  }
};

constexpr Program kFilter = [] {
#if defined(__x86_64__)
  constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
  constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif
  constexpr std::uint32_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                           CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                           CLONE_NEWNET;
  Program program;
  program.set(0, BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch), 0, 0);
  program.set(1, BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
  program.set(2, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
  program.set(3, BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr), 0, 0);
  program.set_tree(Program::kHead, 0, kSpans.count);
  program.set(Program::kClone, BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args), 0, 0);
  program.set(Program::kClone + 1, BPF_JMP | BPF_JSET | BPF_K, kNewNamespaces,
              Program::kDeny - Program::kClone - 2, Program::kAllow - Program::kClone - 2);
  program.set(Program::kAllow, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
  program.set(Program::kDeny, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
  program.set(Program::kUnknown, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
  return program;
}();

}  // namespace stratoperf::containers
