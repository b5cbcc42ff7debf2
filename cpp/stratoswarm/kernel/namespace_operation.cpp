#include "stratoswarm/kernel/namespace_operation.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "stratoswarm/kernel/child.hpp"
#include "stratoswarm/kernel/device.hpp"
#include "stratoswarm/kernel/namespace_traveller.hpp"

namespace stratoperf::kernel {
namespace {

using memory::Descriptor;

struct Kind {
  const char* name;
  int flag;
  const char* own;  // of the namespace that this process's children are in
};

constexpr std::array<Kind, 7> kKinds = {{
    {"mnt", CLONE_NEWNS, "/proc/self/ns/mnt"},
    {"pid", CLONE_NEWPID, "/proc/self/ns/pid_for_children"},
    {"net", CLONE_NEWNET, "/proc/self/ns/net"},
    {"ipc", CLONE_NEWIPC, "/proc/self/ns/ipc"},
    {"uts", CLONE_NEWUTS, "/proc/self/ns/uts"},
    {"user", CLONE_NEWUSER, "/proc/self/ns/user"},
    {"cgroup", CLONE_NEWCGROUP, "/proc/self/ns/cgroup"},
}};

const Kind& kind_named(const std::string& type) {
  for (const Kind& kind : kKinds) {
    if (type == kind.name) {
      return kind;
    }
  }
  throw std::invalid_argument("type: '" + type +
                              "' is not a type of namespace; expected mnt, pid, net, ipc, uts, "
                              "user or cgroup");
}

std::uint64_t inode_of(int descriptor) {
  struct stat facts = {};
  return fstat(descriptor, &facts) == 0 ? facts.st_ino : 0;
}

Descriptor open_own(const Kind& kind) {
  Descriptor own(open(kind.own, O_RDONLY | O_CLOEXEC));
  if (!own) {
    throw CommandError(kind.own, errno);
  }
  return own;
}

// What a child opens for its parent, in whose table of descriptors it does.
struct Opening {
  const char* path;
  int descriptor;
  int number;  // errno
};

STRATOPERF_IN_CHILD int open_for_parent(void* argument) {
  auto& opening = *static_cast<Opening*>(argument);
  opening.descriptor = open(opening.path, O_RDONLY | O_CLOEXEC);
  opening.number = opening.descriptor < 0 ? errno : 0;
  return 0;
}

// A new namespace without a process in it.
Descriptor make_namespace(const Children& children, const Kind& kind) {
  Opening opening = {.path = kind.own, .descriptor = -1, .number = 0};
  const pid_t child = children.start(open_for_parent, &opening, CLONE_FILES | kind.flag);
  if (child < 0) {
    throw CommandError("clone", errno);
  }
  status_of(child);
  if (opening.descriptor < 0) {
    throw CommandError(kind.own, opening.number);
  }
  return Descriptor(opening.descriptor);
}

STRATOPERF_IN_CHILD int end_well(void* /*argument*/) { return 0; }

STRATOPERF_IN_CHILD int enter_user(void* target) {
  return setns(*static_cast<int*>(target), CLONE_NEWUSER);
}

// Creates a namespace, or enters one, with a child for each time.
class ChildNamespace final : public Operation {
 public:
  ChildNamespace(const Kind& kind, NamespaceAction action)
      : kind_(kind), creates_(action == NamespaceAction::create), home_(open_own(kind)) {
    target_ = make_namespace(children_, kind);  // tells now whether that is allowed
    run(1);
    if (failed_ > 0) {
      throw CommandError("setns", EPERM);
    }
  }

  void run(std::uint64_t n) override {
    const Body body = creates_ ? end_well : enter_user;
    int target = target_.number();
    for (std::uint64_t i = 0; i < n && !stop_requested(); ++i) {
      const pid_t child = children_.start(body, &target, creates_ ? kind_.flag : 0);
      if (child < 0) {
        throw CommandError("clone", errno);
      }
      failed_ += status_of(child) == 0 ? 0 : 1;
      ++made_;
    }
  }

  Verification verify() override {
    const Descriptor fresh = make_namespace(children_, kind_);
    const bool differs = inode_of(fresh.number()) != inode_of(home_.number()) &&
                         inode_of(fresh.number()) != inode_of(target_.number());
    if (failed_ > 0 || !differs) {
      return {made_, false,
              failed_ > 0 ? std::to_string(failed_) + " of " + std::to_string(made_) +
                                " children did not end as they should"
                          : "a new namespace is one that was there before"};
    }
    return {made_, true};
  }

 private:
  const Kind& kind_;
  bool creates_;
  Children children_ = {};
  Descriptor home_;
  Descriptor target_ = {};
  std::uint64_t made_ = 0;
  std::uint64_t failed_ = 0;
};

// Enters a namespace, or leaves it.
class TravelOperation final : public Operation {
 public:
  TravelOperation(const Kind& kind, bool leaves)
      : kind_(kind),
        leaves_(leaves),
        home_(open_own(kind)),
        target_(make_namespace(Children(), kind)) {
    prepare(1);
    run(1);
    check();
  }

  void prepare(std::uint64_t /*n*/) override {
    check();
    traveller_.go(leaves_ ? target_.number() : home_.number(), kind_.flag, 1);
    traveller_.wake();
  }

  void run(std::uint64_t n) override {
    traveller_.go(leaves_ ? home_.number() : target_.number(), kind_.flag, n);
    made_ += n;
    is_unchecked_ = true;
  }

  Verification verify() override {
    check();
    return {checked_, wrong_ == 0,
            wrong_ == 0 ? std::string()
                        : std::to_string(wrong_) + " of " + std::to_string(checked_) +
                              " batches did not end in the namespace they should"};
  }

 private:
  void check() {
    if (!is_unchecked_) {
      return;
    }
    is_unchecked_ = false;
    const Descriptor& expected = leaves_ ? home_ : target_;
    ++checked_;
    wrong_ += traveller_.inode_of(kind_.own) == inode_of(expected.number()) ? 0 : 1;
  }

  const Kind& kind_;
  bool leaves_;
  Descriptor home_;
  Descriptor target_;
  Traveller traveller_ = {};  // has the descriptors above
  bool is_unchecked_ = false;
  std::uint64_t made_ = 0;
  std::uint64_t checked_ = 0;
  std::uint64_t wrong_ = 0;
};

}  // namespace

std::unique_ptr<Operation> namespace_operation(const std::string& type, NamespaceAction action) {
  const Kind& kind = kind_named(type);
  const bool is_user = kind.flag == CLONE_NEWUSER;
  if (is_user && action == NamespaceAction::leave) {
    throw Failure("a process cannot leave a user namespace: the way back is not allowed",
                  Failure::Kind::unavailable);
  }
  if (is_user || action == NamespaceAction::create) {
    return std::make_unique<ChildNamespace>(kind, action);
  }
  return std::make_unique<TravelOperation>(kind, action == NamespaceAction::leave);
}

}  // namespace stratoperf::kernel
