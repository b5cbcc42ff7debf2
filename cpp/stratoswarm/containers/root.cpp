#include "stratoswarm/containers/root.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>

#include <cerrno>

#include "stratoswarm/containers/noted_calls.hpp"
#include "stratoswarm/containers/seccomp_filter.hpp"

namespace stratoperf::containers {
namespace {

// By number: headers of older systems have no names for these calls.
constexpr long kOpenTree = 428;
constexpr long kMoveMount = 429;
constexpr long kFsopen = 430;
constexpr long kFsconfig = 431;
constexpr long kFsmount = 432;
constexpr long kOpenat2 = 437;
constexpr long kSetattr = kMountSetattr;

constexpr unsigned kCloneTree = 1;    // OPEN_TREE_CLONE
constexpr unsigned kFromEmpty = 0x4;  // MOVE_MOUNT_F_EMPTY_PATH
constexpr unsigned kToEmpty = 0x40;   // MOVE_MOUNT_T_EMPTY_PATH
constexpr unsigned kSetString = 1;    // FSCONFIG_SET_STRING
constexpr unsigned kCreate = 6;       // FSCONFIG_CMD_CREATE
constexpr unsigned kReadOnly = 1, kNoSuid = 2, kNoDevices = 4, kNoExec = 8;  // MOUNT_ATTR_*
constexpr unsigned kEmptyPath = 0x1000;                                      // AT_EMPTY_PATH
constexpr unsigned kRecursive = 0x8000;                                      // AT_RECURSIVE

struct MountAttributes {
  std::uint64_t set, clear, propagation, user_namespace;
};

constexpr const char* kDevices[] = {"null", "zero", "full", "random", "urandom"};

long new_mount(const char* type, bool small, unsigned attributes, Fault& fault) {
  const long context = noted(kFsopen, type, 1);
  if (context < 0) {
    fail(fault, context, "fsopen", type);
    return -1;
  }
  constexpr const char* kSmall[][2] = {{"size", "65536"}, {"nr_inodes", "64"}, {"mode", "0755"}};
  long done = 0;
  for (const auto& [name, value] : kSmall) {
    done = done < 0 || !small ? done : noted(kFsconfig, context, kSetString, name, value, 0);
  }
  done = done < 0 ? done : noted(kFsconfig, context, kCreate, nullptr, nullptr, 0);
  if (done < 0) {
    fail(fault, done, "fsconfig of a new", type);
  }
  const long mount = done < 0 ? done : noted(kFsmount, context, 1, attributes);
  noted(SYS_close, context);
  if (mount < 0) {
    fail(fault, mount, "fsmount of a new", type);
    return -1;
  }
  return mount;
}

// A folder or file below the root, through no link.
long open_below(long root, const char* name, int flags) {
  open_how how = {};
  how.flags = static_cast<std::uint64_t>(O_PATH | O_CLOEXEC | O_NOFOLLOW | flags);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return noted(kOpenat2, root, name, &how, sizeof how);
}

bool attach(long mount, long folder, const char* path, unsigned flags, Fault& fault) {
  const long error = noted(kMoveMount, mount, "", folder, path, kFromEmpty | flags);
  return error >= 0 || fail(fault, error, "move_mount to", path);
}

bool add_devices(long folder, Fault& fault) {
  for (const char* name : kDevices) {
    char outside[24] = "/dev/";
    for (std::size_t i = 0; name[i] != 0; ++i) {
      outside[5 + i] = name[i];
    }
    const long device = noted(kOpenTree, AT_FDCWD, outside, kCloneTree | O_CLOEXEC);
    if (device < 0) {
      return fail(fault, device, "open_tree of", outside);
    }
    const long place = noted(SYS_openat, folder, name, O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (place < 0) {
      return fail(fault, place, "open of a new", outside);
    }
    noted(SYS_close, place);
    if (!attach(device, folder, name, 0, fault)) {
      return false;
    }
    noted(SYS_close, device);
  }
  return true;
}

bool restrict(long mount, unsigned attributes, Fault& fault) {
  MountAttributes change = {attributes, 0, 0, 0};
  const long error = noted(kSetattr, mount, "", kEmptyPath, &change, sizeof change);
  return error >= 0 || fail(fault, error, "mount_setattr");
}

long minimal_root(Fault& fault) {
  const long root = new_mount("tmpfs", true, kNoSuid | kNoDevices | kNoExec, fault);
  if (root < 0 || !attach(root, AT_FDCWD, "/", 0, fault)) {
    return -1;
  }
  for (const char* name : {"proc", "dev"}) {
    const long error = noted(SYS_mkdirat, root, name, 0755);
    if (error < 0) {
      fail(fault, error, "mkdirat", name);
      return -1;
    }
  }
  const long devices = noted(SYS_openat, root, "dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
  const bool done = add_devices(devices, fault);
  noted(SYS_close, devices);
  return done ? root : -1;
}

long given_root(const char* path, Fault& fault) {
  // The helper's working directory is "/", which the lookup takes for its root.
  const long folder = open_below(AT_FDCWD, path, O_DIRECTORY);
  if (folder < 0) {
    fail(fault, folder, "openat2 of", path);
    return -1;
  }
  const long root = noted(kOpenTree, folder, "", kEmptyPath | kCloneTree | O_CLOEXEC);
  if (root < 0) {
    fail(fault, root, "open_tree of the root", path);
    return -1;
  }
  noted(SYS_close, folder);
  if (!attach(root, AT_FDCWD, "/", 0, fault)) {
    return -1;
  }
  const long place = open_below(root, "dev", O_DIRECTORY);
  if (place < 0) {
    fail(fault, place, "the root has to have a directory /dev: openat2 of", "dev");
    return -1;
  }
  const long devices = new_mount("tmpfs", true, kNoSuid | kNoDevices | kNoExec, fault);
  if (devices < 0 || !attach(devices, place, "", kToEmpty, fault) || !add_devices(devices, fault) ||
      !restrict(devices, kReadOnly | kNoSuid | kNoDevices | kNoExec, fault)) {
    return -1;
  }
  noted(SYS_close, place);
  noted(SYS_close, devices);
  return root;
}

long proc_place(long root, Fault& fault) {
  const long place = open_below(root, "proc", O_DIRECTORY);
  if (place < 0) {
    fail(fault, place, "the root has to have a directory /proc: openat2 of", "proc");
  }
  return place;
}

}  // namespace

int build_root(const char* path, Fault& fault) {
  const long error = noted(SYS_mount, nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  if (error < 0) {
    fail(fault, error, "mount of / as private");
    return -1;
  }
  return static_cast<int>(path == nullptr ? minimal_root(fault) : given_root(path, fault));
}

bool mount_proc(int root, Fault& fault) {
  const long proc = new_mount("proc", false, kNoSuid | kNoDevices | kNoExec, fault);
  if (proc < 0) {
    return false;
  }
  const long place = proc_place(root, fault);
  const bool done = place >= 0 && attach(proc, place, "", kToEmpty, fault);
  noted(SYS_close, place);
  noted(SYS_close, proc);
  return done;
}

bool keep_proc(int root, Fault& fault) {
  const long outside = noted(kOpenTree, AT_FDCWD, "/proc", kCloneTree | kRecursive | O_CLOEXEC);
  if (outside < 0) {
    return fail(fault, outside, "open_tree of", "/proc");
  }
  const bool done = attach(outside, root, "proc", 0, fault);
  noted(SYS_close, outside);
  return done;
}

bool cover_proc(Fault& fault) {
  const long proc = new_mount("proc", false, kNoSuid | kNoDevices | kNoExec, fault);
  if (proc < 0) {
    return false;
  }
  // On top of the outside's, which no path leads to from then on: to unmount that would wait for a
  // grace period of RCU.
  const bool done = attach(proc, AT_FDCWD, "/proc", 0, fault);
  noted(SYS_close, proc);
  return done;
}

bool enter_root(int root, bool is_minimal, Fault& fault) {
  const unsigned attributes = kReadOnly | kNoSuid | kNoDevices | (is_minimal ? kNoExec : 0);
  if (!restrict(root, attributes, fault)) {
    return false;
  }
  long error = noted(SYS_fchdir, root);
  if (error < 0) {
    return fail(fault, error, "fchdir");
  }
  // The former root lies on top of the new one then, and is let go.
  error = noted(SYS_pivot_root, ".", ".");
  if (error < 0) {
    return fail(fault, error, "pivot_root");
  }
  error = noted(SYS_umount2, ".", MNT_DETACH);
  if (error < 0) {
    return fail(fault, error, "umount2 of the former root");
  }
  error = noted(SYS_chdir, "/");
  return error >= 0 || fail(fault, error, "chdir");
}

}  // namespace stratoperf::containers
