#include "stratoswarm/containers/sandbox.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "stratoswarm/containers/noted_calls.hpp"
#include "stratoswarm/containers/root.hpp"
#include "stratoswarm/containers/seccomp_filter.hpp"
#include "stratoswarm/containers/system_calls.hpp"
#include "stratoswarm/ending.hpp"

namespace stratoperf::containers {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;
constexpr long kClone3 = 435;
constexpr long kCloseRange = 436;
constexpr std::uint64_t kIntoGroup = 0x200000000U;  // CLONE_INTO_CGROUP
constexpr int kFirstOther = 10;  // the helper's own descriptors and those it receives begin here

// One for the process that joins, one for the container's: both live while the helper is suspended.
alignas(16) char joining_stack[kStackBytes];
alignas(16) char entering_stack[kStackBytes];

struct CloneArguments {
  std::uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
      set_tid_size, cgroup;
};

// clone3 with the caller suspended until the child, which runs `begin` in the same memory on a
// stack of its own, executes a program or ends. The child's pid, or the negative error.
long clone_suspended(CloneArguments arguments, char* stack, void (*begin)(void*), void* argument) {
  last_call = kClone3;
  arguments.flags |= CLONE_VM | CLONE_VFORK;
  arguments.stack = reinterpret_cast<std::uint64_t>(stack);
  arguments.stack_size = kStackBytes;
  long result;
#if defined(__x86_64__)
  asm volatile(
      "syscall\n test %%rax, %%rax\n jnz 1f\n"
      " xor %%ebp, %%ebp\n mov %[argument], %%rdi\n call *%[begin]\n hlt\n1:"
      : "=a"(result)
      : "a"(kClone3), "D"(&arguments),
        "S"(sizeof arguments), [begin] "r"(begin), [argument] "r"(argument)
      : "rcx", "r11", "memory");
#else
  register long x8 asm("x8") = kClone3;
  register long x0 asm("x0") = reinterpret_cast<long>(&arguments);
  register long x1 asm("x1") = static_cast<long>(sizeof arguments);
  asm volatile(
      "svc #0\n cbnz x0, 1f\n mov x29, #0\n mov x30, #0\n mov x0, %[argument]\n blr %[begin]\n1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), [begin] "r"(begin), [argument] "r"(argument)
      : "memory");
  result = x0;
#endif
  return result;
}

[[noreturn]] void leave() {
  for (;;) {
    call(SYS_exit_group, 1);
  }
}

// With the helper this process ends too, whether it ended before this call or ends later.
bool die_with_helper(const Helper& helper, Fault& fault) {
  const long error = noted(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (error < 0) {
    return fail(fault, error, "prctl(PR_SET_PDEATHSIG)");
  }
  struct {
    int descriptor;
    short events;
    short seen;
  } wait = {helper.life[0], 0, 0};
  struct {
    long seconds, nanoseconds;
  } none = {0, 0};
  const long ended = noted(SYS_ppoll, &wait, 1, &none, nullptr, 8);
  if (ended > 0) {
    leave();
  }
  return ended == 0 || fail(fault, ended, "ppoll");
}

void stop_here(const Entry& entry, Stage stage) {
  if (entry.stop_stage != stage + 1) {
    return;
  }
  // Not a signal: the first process of a pid namespace ignores those that would stop it.
  struct {
    int descriptor;
    short events;
    short seen;
  } wait = {entry.helper->client, 0, 0};
  noted(SYS_ppoll, &wait, 1, nullptr, nullptr, 8);
}

bool write_file(const char* path, const char* text, std::size_t size, Fault& fault) {
  const long file = noted(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
  if (file < 0) {
    return fail(fault, file, "openat of", path);
  }
  const long done = noted(SYS_write, file, text, size);
  noted(SYS_close, file);
  return done == static_cast<long>(size) || fail(fault, done < 0 ? done : -EIO, "write to", path);
}

// User 0 of the new user namespace is the unprivileged user that made it.
bool write_maps(const Helper& helper, Fault& fault) {
  char uids[32];
  char gids[32];
  const int uids_size = std::snprintf(uids, sizeof uids, "0 %u 1", helper.uid);
  const int gids_size = std::snprintf(gids, sizeof gids, "0 %u 1", helper.gid);
  // The files belong to root while the process cannot be dumped, or traced.
  noted(SYS_prctl, PR_SET_DUMPABLE, 1);
  const bool done =
      write_file("/proc/self/setgroups", "deny", 4, fault) &&
      write_file("/proc/self/uid_map", uids, static_cast<std::size_t>(uids_size), fault) &&
      write_file("/proc/self/gid_map", gids, static_cast<std::size_t>(gids_size), fault);
  noted(SYS_prctl, PR_SET_DUMPABLE, 0);
  return done;
}

bool become(std::uint32_t uid, std::uint32_t gid, Fault& fault) {
  long error = noted(SYS_setresgid, gid, gid, gid);
  error = error < 0 ? error : noted(SYS_setresuid, uid, uid, uid);
  // Clearing the effective user makes a process undumpable as a side effect, or not; it has to be.
  noted(SYS_prctl, PR_SET_DUMPABLE, 0);
  return error >= 0 || fail(fault, error, "setresgid or setresuid");
}

bool join_group(const Entry& entry, Fault& fault) {
  if (entry.group == nullptr || entry.group_version2) {
    return true;
  }
  for (int i = 0; i < entry.group->count; ++i) {
    // By itself: a process that is attached by another's hand waits for a grace period of RCU.
    const long error = noted(SYS_write, entry.group->files[i], "0", 1);
    if (error < 0) {
      return fail(fault, error, "write of 0 to tasks");
    }
  }
  return true;
}

// The only limit that the helper does not have itself: it needs more descriptors.
bool limit_files(const Helper& helper, Fault& fault) {
  const std::uint64_t both[2] = {helper.container_files, helper.container_files};
  const long error = noted(SYS_prlimit64, 0, RLIMIT_NOFILE, both, nullptr);
  return error >= 0 || fail(fault, error, "prlimit");
}

bool drop_privileges(const Helper& helper, Fault& fault) {
  for (int capability = 0; capability <= helper.last_capability; ++capability) {
    const long error = noted(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (error < 0) {
      return fail(fault, error, "prctl(PR_CAPBSET_DROP)");
    }
  }
  // No user has capabilities by its number, and none can get them: all bits but KEEP_CAPS, locked.
  constexpr int kBits = 0xef;
  long error = noted(SYS_prctl, PR_SET_SECUREBITS, kBits, 0, 0, 0);
  if (error < 0) {
    return fail(fault, error, "prctl(PR_SET_SECUREBITS)");
  }
  error = noted(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  error = error < 0 ? error : noted(SYS_capset, &header, none);
  if (error < 0) {
    return fail(fault, error, "capset");
  }
  error = noted(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return error >= 0 || fail(fault, error, "prctl(PR_SET_NO_NEW_PRIVS)");
}

// 0, 1 and 2, the control socket, and what init needs besides; nothing else stays open.
bool arrange_descriptors(const Entry& entry, Fault& fault) {
  const bool own_files = (entry.flags & kStandardFiles) == 0;
  long null = -1;
  if (own_files) {
    null = noted(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
      return fail(fault, null, "open of", "/dev/null");
    }
  }
  long error = 0;
  for (int i = 0; i < 3 && error >= 0; ++i) {
    error = noted(SYS_dup3, own_files ? null : entry.files[i], i, 0);
  }
  error = error < 0 ? error : noted(SYS_dup3, entry.control, kControl, 0);
  const int extra = (entry.flags & kImage) != 0    ? entry.image
                    : (entry.flags & kParked) != 0 ? entry.helper->program
                                                   : -1;
  if (extra >= 0) {
    error = error < 0 ? error : noted(SYS_dup3, extra, kExtra, 0);
  }
  const int first = extra >= 0 ? kExtra + 1 : kExtra;
  const int program = entry.helper->program;
  error = error < 0 ? error : noted(kCloseRange, first, program - 1, 0);
  error = error < 0 ? error : noted(kCloseRange, program + 1, ~0U, 0);
  return error >= 0 || fail(fault, error, "dup3 or close_range of descriptors");
}

bool reset_signals(Fault& fault) {
  const std::uint64_t none = 0;
  const long error = noted(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
  return error >= 0 || fail(fault, error, "rt_sigprocmask");
}

bool load_filter(Fault& fault) {
  const sock_fprog program = {kFilter.count, const_cast<sock_filter*>(kFilter.code.data())};
  const long error = noted(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
  return error >= 0 || fail(fault, error, "seccomp");
}

bool set_up(Entry& entry) {
  const Helper& helper = *entry.helper;
  Fault& fault = entry.fault;
  noted(SYS_close, helper.life[1]);
  if (!die_with_helper(helper, fault)) {
    return false;
  }
  entry.lap(kStageClone);
  stop_here(entry, kStageClone);
  if (!join_group(entry, fault)) {
    return false;
  }
  entry.lap(kStageCgroup);
  stop_here(entry, kStageCgroup);
  const bool new_user = (entry.namespaces & kUser) != 0 && entry.joined.user < 0;
  const bool in_user = (entry.namespaces & kUser) != 0 || entry.joined.user >= 0;
  // A change of credentials clears the signal.
  if (new_user &&
      !(write_maps(helper, fault) && become(0, 0, fault) && die_with_helper(helper, fault))) {
    return false;
  }
  if ((entry.namespaces & kCgroup) != 0) {
    const long error = noted(SYS_unshare, CLONE_NEWCGROUP);
    if (error < 0) {
      return fail(fault, error, "unshare of the cgroup namespace");
    }
  }
  if ((entry.namespaces & kUts) != 0) {
    std::size_t length = 0;
    while (entry.name[length] != 0) {
      ++length;
    }
    const long error = noted(SYS_sethostname, entry.name, length);
    if (error < 0) {
      return fail(fault, error, "sethostname");
    }
  }
  entry.lap(kStageNamespaces);
  stop_here(entry, kStageNamespaces);
  const bool own_proc = (entry.namespaces & kPid) != 0;
  if (entry.joined.mount >= 0) {
    if (own_proc && !cover_proc(fault)) {
      return false;
    }
    entry.lap(kStageProc);
  } else if ((entry.namespaces & kMount) != 0) {
    const int root = build_root(entry.root, fault);
    entry.lap(kStageRoot);
    stop_here(entry, kStageRoot);
    if (root < 0 || (own_proc && !mount_proc(root, fault))) {
      return false;
    }
    entry.lap(kStageProc);
    stop_here(entry, kStageProc);
    if (!enter_root(root, entry.root == nullptr, fault)) {
      return false;
    }
    entry.lap(kStageRoot);
  }
  noted(SYS_setsid);
  noted(SYS_umask, 022);
  if (!limit_files(helper, fault) ||
      (!in_user && helper.is_root && !become(helper.uid, helper.gid, fault)) ||
      !drop_privileges(helper, fault) || !die_with_helper(helper, fault)) {
    return false;
  }
  // Before the descriptor of the client closes, which it waits for.
  stop_here(entry, kStageIdentity);
  if (!arrange_descriptors(entry, fault) || !reset_signals(fault)) {
    return false;
  }
  if (entry.processors != nullptr) {
    noted(SYS_sched_setaffinity, 0, sizeof *entry.processors, entry.processors);
  }
  entry.lap(kStageIdentity);
  if (!load_filter(fault)) {
    return false;
  }
  entry.lap(kStageSeccomp);
  return true;
}

void begin_entering(void* argument) {
  Entry& entry = *static_cast<Entry*>(argument);
  if (!set_up(entry)) {
    leave();
  }
  entry.reached_exec = true;
  static char* environment[] = {nullptr};
  const long error = noted(SYS_execveat, entry.helper->program, "", entry.words, environment,
                           0x1000 /* AT_EMPTY_PATH */);
  fail(entry.fault, error, "execveat of init");
  leave();
}

std::uint64_t clone_flags(std::uint32_t namespaces) {
  std::uint64_t flags = 0;
  flags |= (namespaces & kMount) != 0 ? CLONE_NEWNS : 0;
  flags |= (namespaces & kUts) != 0 ? CLONE_NEWUTS : 0;
  flags |= (namespaces & kIpc) != 0 ? CLONE_NEWIPC : 0;
  flags |= (namespaces & kNetwork) != 0 ? CLONE_NEWNET : 0;
  flags |= (namespaces & kPid) != 0 ? CLONE_NEWPID : 0;
  flags |= (namespaces & kUser) != 0 ? CLONE_NEWUSER : 0;
  return flags;  // the cgroup namespace is left once the process has joined its group
}

// The unprivileged user makes a user namespace: its owner, and user 0 in it. Not noted, since the
// helper does it too.
bool take_effective(const Helper& helper, bool own, Fault& fault) {
  if (!helper.is_root) {
    return true;
  }
  const long uid = own ? helper.uid : 0;
  const long gid = own ? helper.gid : 0;
  // As root only the group can be changed.
  const long first = own ? call(SYS_setresgid, -1, gid, -1) : call(SYS_setresuid, -1, uid, -1);
  const long second = own ? call(SYS_setresuid, -1, uid, -1) : call(SYS_setresgid, -1, gid, -1);
  call(SYS_prctl, PR_SET_DUMPABLE, 0);
  const long error = first < 0 ? first : second;
  return error >= 0 || fail(fault, error, "setresgid or setresuid");
}

long clone_container(Entry& entry, std::uint32_t namespaces, std::uint64_t further) {
  CloneArguments arguments = {};
  // The kernel tells the helper the process, should the one that joins be killed.
  arguments.flags = clone_flags(namespaces) | further | CLONE_PARENT_SETTID;
  arguments.parent_tid = reinterpret_cast<std::uint64_t>(&entry.pid);
  // A child of the helper takes the signal of the process that made it.
  arguments.exit_signal = (further & CLONE_PARENT) != 0 ? 0 : SIGCHLD;
  return clone_suspended(arguments, entering_stack, begin_entering, &entry);
}

// A process between the helper and the container that joins namespaces, so that those which the
// container gets new belong to the user namespace that was joined.
void begin_joining(void* argument) {
  Entry& entry = *static_cast<Entry*>(argument);
  const struct {
    int file;
    int type;
  } namespaces[] = {{entry.joined.user, CLONE_NEWUSER},
                    {entry.joined.network, CLONE_NEWNET},
                    {entry.joined.mount, CLONE_NEWNS}};
  entry.lap(kStageClone);
  for (const auto& [file, type] : namespaces) {
    if (file >= 0) {
      const long error = noted(SYS_setns, file, type);
      if (error < 0) {
        fail(entry.fault, error, "setns");
        leave();
      }
    }
  }
  if (entry.joined.user >= 0) {
    if (!become(0, 0, entry.fault)) {
      leave();
    }
  } else if (!take_effective(*entry.helper, true, entry.fault)) {
    leave();
  }
  entry.lap(kStageNamespaces);
  std::uint32_t made = entry.namespaces;
  made &= entry.joined.user >= 0 ? ~kUser : ~0U;
  made &= entry.joined.network >= 0 ? ~kNetwork : ~0U;
  // A prepared mount namespace is the container's own, or the pattern that it gets a copy of.
  const bool is_pattern = (entry.flags & kShared) != 0;
  made &= entry.joined.mount >= 0 && !is_pattern ? ~kMount : ~0U;
  const long pid = clone_container(entry, made, CLONE_PARENT);
  if (pid < 0) {
    fail(entry.fault, pid, "clone3 with new namespaces");
    leave();
  }
  call(SYS_exit_group, 0);
}

int reap(long pid) {
  int status = 0;
  while (waitpid(static_cast<pid_t>(pid), &status, __WALL) < 0 && errno == EINTR) {
  }
  return status;
}

// Says how a process ended that has left no fault.
void fail_of_status(int status, const char* stage, Fault& fault) {
  fault.error = kNoErrno;
  if (WIFSIGNALED(status)) {
    std::snprintf(fault.step, sizeof fault.step,
                  "the process was killed by signal %d (%s) in %s, after stage %s",
                  WTERMSIG(status), strsignal(WTERMSIG(status)), name_of_last_call(), stage);
  } else {
    std::snprintf(fault.step, sizeof fault.step,
                  "the process ended with status %d in %s, after stage %s", WEXITSTATUS(status),
                  name_of_last_call(), stage);
  }
}

}  // namespace

void Entry::lap(Stage stage) {
  const std::uint64_t now = now_ns();
  stages_ns[stage] += now - last_ns;
  last_ns = now;
  last_stage = stage;
}

bool enter(Entry& entry) {
  int status = 0;
  const bool into_group = entry.group != nullptr && entry.group_version2;
  if (entry.joined.any() || into_group) {
    // No signal at its end, and at that of its child: who waits for any of thousands of children
    // goes through them all. It opens nothing, so it needs no descriptors of its own.
    CloneArguments arguments = {};
    arguments.flags = CLONE_FILES;
    if (into_group) {
      arguments.flags |= kIntoGroup;
      arguments.cgroup = static_cast<std::uint64_t>(entry.group->files[0]);
    }
    const long pid = clone_suspended(arguments, joining_stack, begin_joining, &entry);
    if (pid < 0) {
      return fail(entry.fault, pid, into_group ? "clone3 into the control group" : "clone3");
    }
    status = reap(pid);
  } else {
    const bool own = (entry.namespaces & kUser) != 0;
    const long pid = take_effective(*entry.helper, own, entry.fault)
                         ? clone_container(entry, entry.namespaces, 0)
                         : 0;
    take_effective(*entry.helper, false, entry.fault);
    if (pid < 0) {
      return fail(entry.fault, pid, "clone3 with new namespaces");
    }
  }
  const bool is_ready = !entry.fault.occurred() && entry.reached_exec;
  if (!is_ready && entry.pid > 0) {
    end_process(entry.pid);
    status = reap(entry.pid);
    entry.pid = -1;
  }
  if (!is_ready && !entry.fault.occurred()) {
    fail_of_status(status, kStageNames[entry.last_stage], entry.fault);
  }
  return is_ready;
}

namespace {

struct Preparation {
  const Helper* helper;
  bool mount;
  Joined joined;
  Fault fault;
  volatile bool done;
};

// Shares its descriptors with the helper: what it opens stays open there.
void begin_preparing(void* argument) {
  Preparation& preparation = *static_cast<Preparation*>(argument);
  Fault& fault = preparation.fault;
  const struct {
    const char* path;
    int* file;
  } files[] = {{"/proc/self/ns/user", &preparation.joined.user},
               {"/proc/self/ns/net", &preparation.joined.network},
               {"/proc/self/ns/mnt", &preparation.joined.mount}};
  if (!write_maps(*preparation.helper, fault) || !become(0, 0, fault)) {
    leave();
  }
  for (const auto& [path, file] : files) {
    if (file == &preparation.joined.mount && !preparation.mount) {
      continue;
    }
    const long opened = noted(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (opened < 0) {
      fail(fault, opened, "open of", path);
      leave();
    }
    *file = static_cast<int>(opened);
  }
  if (preparation.mount) {
    const int root = build_root(nullptr, fault);
    const bool done = root >= 0 && keep_proc(root, fault) && enter_root(root, true, fault);
    noted(SYS_close, root);
    if (!done) {
      leave();
    }
  }
  preparation.done = true;
  call(SYS_exit_group, 0);
}

}  // namespace

bool prepare_namespaces(const Helper& helper, bool mount, Joined& joined, Fault& fault) {
  Preparation preparation = {&helper, mount, {}, {}, false};
  CloneArguments arguments = {};
  arguments.flags = clone_flags(kUser | kNetwork | (mount ? kMount : 0U)) | CLONE_FILES;
  const long pid = take_effective(helper, true, fault)
                       ? clone_suspended(arguments, entering_stack, begin_preparing, &preparation)
                       : 0;
  take_effective(helper, false, fault);
  if (pid == 0) {
    return false;
  }
  if (pid < 0) {
    return fail(fault, pid, "clone3 with new namespaces for the pool");
  }
  const int status = reap(pid);
  if (!preparation.done && !preparation.fault.occurred()) {
    fail_of_status(status, "clone of the pool", preparation.fault);
  }
  if (preparation.fault.occurred()) {
    for (const int file :
         {preparation.joined.user, preparation.joined.network, preparation.joined.mount}) {
      if (file >= 0) {
        close(file);
      }
    }
    fault = preparation.fault;
    return false;
  }
  joined = preparation.joined;
  return true;
}

}  // namespace stratoperf::containers
