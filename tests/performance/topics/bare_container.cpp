// The system calls of a cold container in one small program, as root, without a helper, a protocol
// or a choice: the floor for what `container.spawn` takes.
//
//   bare_container INIT NAME COUNT PACE_US [MEMORY_GROUP CPU_GROUP PIDS_GROUP]
//
// Prints the microseconds from the first step of each container to the first instruction of INIT.
// The groups are folders of version 1; NAME is that of the folder that is made in each.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "stratoswarm/containers/protocol.hpp"
#include "stratoswarm/containers/seccomp_filter.hpp"

namespace {

using stratoperf::containers::InitMessage;
using stratoperf::containers::kFilter;

constexpr uid_t kNobody = 65534;
constexpr unsigned kReadOnly = 1, kNoSuid = 2, kNoDevices = 4, kNoExec = 8;
constexpr int kGroups = 3;

char stack[64 * 1024];
int init_file, control[2], group_files[kGroups], group_count;

[[noreturn]] void give_up(const char* step) {
  dprintf(2, "bare_container: %s: %s\n", step, strerror(errno));
  _exit(1);
}

long need(long result, const char* step) {
  if (result < 0) {
    give_up(step);
  }
  return result;
}

std::uint64_t clock_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void write_text(int folder, const char* path, const char* text) {
  const int file = static_cast<int>(need(openat(folder, path, O_WRONLY | O_CLOEXEC), path));
  need(write(file, text, strlen(text)), path);
  close(file);
}

long new_mount(const char* type, bool small, unsigned attributes) {
  const long context = need(syscall(430, type, 1), "fsopen");
  if (small) {
    need(syscall(431, context, 1, "size", "65536", 0), "fsconfig");
    need(syscall(431, context, 1, "nr_inodes", "64", 0), "fsconfig");
    need(syscall(431, context, 1, "mode", "0755", 0), "fsconfig");
  }
  need(syscall(431, context, 6, nullptr, nullptr, 0), "fsconfig");
  const long mount = need(syscall(432, context, 1, attributes), "fsmount");
  close(static_cast<int>(context));
  return mount;
}

void enter_root() {
  const long root = new_mount("tmpfs", true, kNoSuid | kNoDevices | kNoExec);
  const int folder = static_cast<int>(root);
  need(syscall(429, root, "", AT_FDCWD, "/", 4), "move_mount");
  need(mkdirat(folder, "proc", 0755), "mkdirat");
  need(mkdirat(folder, "dev", 0755), "mkdirat");
  const int devices = openat(folder, "dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (const char* name : {"null", "zero", "full", "random", "urandom"}) {
    char path[32];
    snprintf(path, sizeof path, "/dev/%s", name);
    const long device = need(syscall(428, AT_FDCWD, path, 1 | O_CLOEXEC), "open_tree");
    close(openat(devices, name, O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    need(syscall(429, device, "", devices, name, 4), "move_mount");
    close(static_cast<int>(device));
  }
  close(devices);
  const long proc = new_mount("proc", false, kNoSuid | kNoDevices | kNoExec);
  need(syscall(429, proc, "", folder, "proc", 4), "move_mount");
  close(static_cast<int>(proc));
  const std::uint64_t change[4] = {kReadOnly | kNoSuid | kNoDevices | kNoExec, 0, 0, 0};
  need(syscall(442, root, "", 0x1000, change, sizeof change), "mount_setattr");
  need(fchdir(folder), "fchdir");
  need(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  need(umount2(".", MNT_DETACH), "umount2");
  need(chdir("/"), "chdir");
}

int enter(void*) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int i = 0; i < group_count; ++i) {
    need(write(group_files[i], "0", 1), "tasks");
  }
  prctl(PR_SET_DUMPABLE, 1);
  write_text(AT_FDCWD, "/proc/self/setgroups", "deny");
  write_text(AT_FDCWD, "/proc/self/uid_map", "0 65534 1");
  write_text(AT_FDCWD, "/proc/self/gid_map", "0 65534 1");
  prctl(PR_SET_DUMPABLE, 0);
  need(syscall(SYS_setresgid, 0, 0, 0), "setresgid");
  need(syscall(SYS_setresuid, 0, 0, 0), "setresuid");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  need(unshare(CLONE_NEWCGROUP), "unshare");
  need(sethostname("container", 9), "sethostname");
  enter_root();
  setsid();
  umask(022);
  const rlimit files = {256, 256};
  need(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
  for (int capability = 0; capability <= 40; ++capability) {
    need(prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "PR_CAPBSET_DROP");
  }
  need(prctl(PR_SET_SECUREBITS, 0xef, 0, 0, 0), "PR_SET_SECUREBITS");
  need(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "PR_CAP_AMBIENT");
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  need(syscall(SYS_capset, &header, none), "capset");
  need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int number = 0; number < 3; ++number) {
    need(dup3(null, number, 0), "dup3");
  }
  need(dup3(control[1], 3, 0), "dup3");
  need(syscall(436, 4, init_file - 1, 0), "close_range");
  need(syscall(436, init_file + 1, ~0U, 0), "close_range");
  sigset_t mask;
  sigemptyset(&mask);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  const sock_fprog program = {kFilter.count, const_cast<sock_filter*>(kFilter.code.data())};
  need(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "seccomp");
  char* const words[] = {const_cast<char*>("init"), const_cast<char*>("w"), nullptr};
  char* const environment[] = {nullptr};
  syscall(SYS_execveat, init_file, "", words, environment, AT_EMPTY_PATH);
  _exit(1);
}

void make_group(const char* base, const char* name, int index) {
  static constexpr const char* kFiles[kGroups][2] = {
      {"memory.limit_in_bytes", "134217728"}, {"cpu.cfs_quota_us", "100000"}, {"pids.max", "64"}};
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", base, name);
  need(mkdir(path, 0755), path);
  const int folder = static_cast<int>(need(open(path, O_DIRECTORY | O_CLOEXEC), path));
  write_text(folder, kFiles[index][0], kFiles[index][1]);
  group_files[index] = static_cast<int>(need(openat(folder, "tasks", O_WRONLY | O_CLOEXEC), path));
  close(folder);
}

double spawn(char** bases, const char* name) {
  const std::uint64_t begun = clock_ns();
  need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), "socketpair");
  for (int i = 0; i < group_count; ++i) {
    make_group(bases[i], name, i);
  }
  need(syscall(SYS_setresgid, -1, kNobody, -1), "setresgid");
  need(syscall(SYS_setresuid, -1, kNobody, -1), "setresuid");
  prctl(PR_SET_DUMPABLE, 0);
  const pid_t pid = clone(enter, stack + sizeof stack,
                          CLONE_VM | CLONE_VFORK | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
                              CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUSER | SIGCHLD,
                          nullptr);
  need(syscall(SYS_setresuid, -1, 0, -1), "setresuid");
  need(syscall(SYS_setresgid, -1, 0, -1), "setresgid");
  need(pid, "clone");
  close(control[1]);
  InitMessage message = {};
  if (read(control[0], &message, sizeof message) != sizeof message) {
    give_up("init did not report");
  }
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  close(control[0]);
  for (int i = 0; i < group_count; ++i) {
    close(group_files[i]);
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", bases[i], name);
    while (rmdir(path) != 0 && errno == EBUSY) {
      usleep(1000);
    }
  }
  return static_cast<double>(message.clock_ns - begun) / 1000;
}

}  // namespace

int main(int count, char** words) {
  if (count != 5 && count != 5 + kGroups) {
    return 2;
  }
  // The descriptors that init gets lie below.
  const int file = static_cast<int>(need(open(words[1], O_RDONLY | O_CLOEXEC), words[1]));
  init_file = static_cast<int>(need(fcntl(file, F_DUPFD_CLOEXEC, 10), words[1]));
  close(file);
  group_count = count - 5;
  // Like the helper, which keeps to its client's processor.
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<unsigned>(sched_getcpu()), &here);
  need(sched_setaffinity(0, sizeof here, &here), "sched_setaffinity");
  need(setgroups(0, nullptr), "setgroups");
  need(chdir("/"), "chdir");
  umask(0);
  for (long left = strtol(words[3], nullptr, 10); left > 0; --left) {
    usleep(static_cast<useconds_t>(strtoul(words[4], nullptr, 10)));
    printf("%.1f\n", spawn(words + 5, words[2]));
  }
}
