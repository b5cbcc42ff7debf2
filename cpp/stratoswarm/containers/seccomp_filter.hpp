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

struct Program {
  std::array<sock_filter, 4 * kMaxSpans + 32> code{};
  unsigned short count = 0;

  constexpr std::size_t add(std::uint16_t code_, std::uint32_t k) {
    code[count] = {code_, 0, 0, k};
    return count++;
  }
  constexpr void add_return(std::uint32_t value) { add(BPF_RET | BPF_K, value); }

  constexpr void add_answer(Answer answer) {
    constexpr std::uint32_t kErrno = SECCOMP_RET_ERRNO;
    constexpr std::uint32_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                             CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                             CLONE_NEWNET;
    switch (answer) {
      case Answer::allow:
        return add_return(SECCOMP_RET_ALLOW);
      case Answer::deny:
        return add_return(kErrno | EPERM);
      case Answer::unknown:
      case Answer::no_clone3:
        return add_return(kErrno | ENOSYS);
      case Answer::clone:
        add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args));
        code[add(BPF_JMP | BPF_JSET | BPF_K, kNewNamespaces)].jf = 1;
        add_return(kErrno | EPERM);
        add_return(SECCOMP_RET_ALLOW);
    }
  }

  // The tree for the spans [first, last): halves are compared by the first number of the upper one.
  constexpr void add_tree(const Spans& spans, std::size_t first, std::size_t last) {
    if (last - first == 1) {
      return add_answer(spans.spans[first].answer);
    }
    const std::size_t middle = first + (last - first) / 2;
    const std::size_t test = add(BPF_JMP | BPF_JGE | BPF_K, spans.spans[middle].first);
    // A jump forwards may be longer than a test can reach; the lower half follows right here.
    const std::size_t far = add(BPF_JMP | BPF_JA, 0);
    code[test].jf = 1;
    add_tree(spans, first, middle);
    code[far].k = static_cast<std::uint32_t>(count - far - 1);
    if (count - test - 1 < 256) {
      code[test].jt = static_cast<std::uint8_t>(count - test - 1);
    }
    add_tree(spans, middle, last);
  }
};

constexpr Program kFilter = [] {
#if defined(__x86_64__)
  constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
  constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif
  Program program;
  program.add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
  program.code[program.add(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture)].jt = 1;
  program.add_return(SECCOMP_RET_KILL_PROCESS);
  program.add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  program.add_tree(kSpans, 0, kSpans.count);
  return program;
}();

}  // namespace stratoperf::containers
