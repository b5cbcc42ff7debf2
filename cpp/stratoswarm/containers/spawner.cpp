// The helper that starts containers and watches over them: one thread, and no Python. It ends with
// its client, and all containers end with it.
//
//   stratoperf_spawner PARENT_PID      (descriptor 3: the socket of the client)
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <unordered_map>
#include <vector>

#include "stratoswarm/containers/fault.hpp"
#include "stratoswarm/containers/groups.hpp"
#include "stratoswarm/containers/protocol.hpp"
#include "stratoswarm/containers/sandbox.hpp"
#include "stratoswarm/containers/system_calls.hpp"
#include "stratoswarm/ending.hpp"

asm(".section .rodata\n"
    ".balign 16\n"
    "stratoperf_init_begin:\n.incbin \"stratoperf_init\"\nstratoperf_init_end:\n.byte 0\n"
    ".previous\n");
extern "C" const char stratoperf_init_begin[];
extern "C" const char stratoperf_init_end[];

namespace stratoperf::containers {
namespace {

constexpr int kClientSocket = 3;
constexpr int kFirstFree = 10;  // below lie the descriptors that containers get
constexpr std::uint32_t kNobody = 65534;
constexpr std::size_t kMaxFiles = 5;
constexpr std::uint32_t kMaxPool = 256;
// So long after the last request the pool is refilled, in order not to delay the next one.
constexpr int kRefillAfterMs = 2;

struct Container {
  pid_t pid = -1;
  Group group;
  bool exited = false;
  int status = 0;
};

struct Prepared {
  Joined joined;
  Group group;
  bool limited = false;
  GroupLimits limits;
};

int moved_up(int file) {
  if (file < 0 || file >= kFirstFree) {
    return file;
  }
  const int moved = fcntl(file, F_DUPFD_CLOEXEC, kFirstFree);
  close(file);
  return moved;
}

// Descriptors that came with a request, closed when it is done.
struct Received {
  int files[kMaxFiles] = {-1, -1, -1, -1, -1};
  std::size_t count = 0;

  Received() = default;
  Received(const Received&) = delete;
  Received& operator=(const Received&) = delete;
  ~Received() {
    for (std::size_t i = 0; i < count; ++i) {
      close(files[i]);
    }
  }
};

class Spawner {
 public:
  int run(pid_t parent);

 private:
  bool open(pid_t parent, Fault& fault);
  bool open_program(Fault& fault);
  bool limit_resources(Fault& fault);
  void follow(int processor);
  bool open_groups(Fault& fault);
  void serve();
  void answer(const char* packet, std::size_t size, Received& received, Reply& reply);
  void spawn(const Request& request, const char* text, Received& received, Reply& reply);
  bool check(const Request& request, std::size_t text_size, const Received& received,
             Fault& fault) const;
  bool fill(std::uint32_t wanted, Fault& fault);
  bool prepare_one(Fault& fault);
  void drop_pool();
  static void close_joined(Joined& joined);
  void reap_all();
  void end(Container& container, Reply& reply);
  void end_all(Reply& reply);
  void send(const Reply& reply) const;

  Helper helper_;
  int parent_ = -1;   // a descriptor of the client's process
  int signals_ = -1;  // SIGCHLD and SIGTERM
  bool ending_ = false;
  pid_t janitor_ = -1;
  int processor_ = -1;         // that the helper keeps to, or -1
  cpu_set_t processors_ = {};  // those that it may use, and its containers do
  Groups groups_;
  Joined shared_;
  std::unordered_map<std::uint64_t, Container> containers_;
  std::unordered_map<pid_t, std::uint64_t> ids_;
  std::deque<Prepared> pool_;
  std::uint32_t pool_goal_ = 0;
  bool pool_limited_ = false;
  GroupLimits pool_limits_;
  bool pool_failed_ = false;
};

std::uint32_t last_capability() {
  std::ifstream file("/proc/sys/kernel/cap_last_cap");
  std::uint32_t value = 40;
  return file >> value ? value : 40;
}

bool Spawner::open_program(Fault& fault) {
  const int file = moved_up(memfd_create("stratoperf_init", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const auto size = static_cast<std::size_t>(stratoperf_init_end - stratoperf_init_begin);
  if (file < 0 || write(file, stratoperf_init_begin, size) != static_cast<ssize_t>(size) ||
      fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return fail(fault, errno, "memfd_create for init");
  }
  helper_.program = file;
  return true;
}

// Containers inherit these limits, so that no spawn has to set them, except that of open files.
bool Spawner::limit_resources(Fault& fault) {
  struct Limit {
    decltype(RLIMIT_CORE) resource;
    rlim_t value;
  };
  constexpr Limit kLimits[] = {{RLIMIT_CORE, 0}, {RLIMIT_MEMLOCK, 65536}, {RLIMIT_RTPRIO, 0}};
  for (const Limit& limit : kLimits) {
    rlimit now = {};
    getrlimit(limit.resource, &now);
    now.rlim_max = now.rlim_cur = std::min(now.rlim_max, limit.value);
    if (setrlimit(limit.resource, &now) != 0) {
      return fail(fault, errno, "prlimit64");
    }
  }
  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  helper_.container_files = std::min<std::uint64_t>(files.rlim_max, helper_.container_files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  return true;
}

bool Spawner::open(pid_t parent, Fault& fault) {
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_NAME, "strato_spawner");
  syscall(SYS_close_range, kClientSocket + 1, ~0U, 0);
  // The low numbers are taken, so that nothing that is opened later lies there.
  helper_.client = moved_up(kClientSocket);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int number = 0; number < kFirstFree; ++number) {
    if (number != null && dup3(null, number, number < 3 ? 0 : O_CLOEXEC) < 0) {
      return fail(fault, errno, "dup3");
    }
  }
  if (!limit_resources(fault)) {
    return false;
  }
  umask(0);
  setsid();
  if (chdir("/") != 0) {
    return fail(fault, errno, "chdir");
  }
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t handled;
  sigemptyset(&handled);
  sigaddset(&handled, SIGCHLD);
  sigaddset(&handled, SIGTERM);
  signals_ = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) {
    return fail(fault, errno, "signalfd4");
  }
  parent_ = static_cast<int>(syscall(SYS_pidfd_open, parent, 0));
  if (parent_ < 0 || getppid() != parent) {
    return fail(fault, parent_ < 0 ? errno : ESRCH, "pidfd_open of the client's process");
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (pipe2(helper_.life, O_CLOEXEC) != 0) {
    return fail(fault, errno, "pipe2");
  }
  sched_getaffinity(0, sizeof processors_, &processors_);
  helper_.is_root = geteuid() == 0;
  helper_.uid = helper_.is_root ? kNobody : geteuid();
  helper_.gid = helper_.is_root ? kNobody : getegid();
  if (helper_.is_root) {
    setgroups(0, nullptr);
  }
  helper_.last_capability = static_cast<int>(last_capability());
  return open_program(fault);
}

// A process that ends when the helper has ended, in whatever way, and removes the control groups.
pid_t keep_order(const Groups& groups, int life, int end_of_life) {
  const pid_t pid = fork();
  if (pid != 0) {
    return pid;
  }
  close(end_of_life);
  syscall(SYS_close_range, kFirstFree, static_cast<unsigned>(life - 1), 0);
  syscall(SYS_close_range, static_cast<unsigned>(life + 1), ~0U, 0);
  setsid();
  prctl(PR_SET_NAME, "strato_janitor");
  pollfd wait = {life, 0, 0};
  while (poll(&wait, 1, -1) < 0 && errno == EINTR) {
  }
  Groups own = groups;
  own.clear();
  _exit(0);
}

bool Spawner::open_groups(Fault& fault) {
  if (groups_.is_open()) {
    return true;
  }
  if (!groups_.open(fault)) {
    return false;
  }
  janitor_ = keep_order(groups_, helper_.life[0], helper_.life[1]);
  if (janitor_ < 0) {
    const int error = errno;
    groups_.clear();
    return fail(fault, error, "fork");
  }
  return true;
}

void Spawner::send(const Reply& reply) const {
  ::send(helper_.client, &reply, sizeof reply, MSG_NOSIGNAL);
}

bool Spawner::check(const Request& request, std::size_t text_size, const Received& received,
                    Fault& fault) const {
  const std::size_t files =
      1 + ((request.flags & kImage) != 0 ? 1 : 0) + ((request.flags & kStandardFiles) != 0 ? 3 : 0);
  if (request.flags > kAllFlags || request.namespaces > kAllNamespaces ||
      request.stop_stage > kStages || memchr(request.name, 0, kNameBytes) == nullptr ||
      request.root_bytes > kMaxRoot ||
      std::size_t{request.root_bytes} + request.command_bytes != text_size ||
      received.count != files) {
    return fail(fault, EBADMSG, "the request is not well-formed");
  }
  if (containers_.contains(request.id)) {
    return fail(fault, EEXIST, "the number of the container");
  }
  return true;
}

void Spawner::close_joined(Joined& joined) {
  for (int* file : {&joined.user, &joined.network, &joined.mount}) {
    if (*file >= 0) {
      close(*file);
    }
    *file = -1;
  }
}

bool Spawner::prepare_one(Fault& fault) {
  Prepared prepared;
  if (!prepare_namespaces(helper_, true, prepared.joined, fault)) {
    return false;
  }
  if (pool_limited_) {
    if (!open_groups(fault) || !groups_.make(pool_limits_, prepared.group, fault)) {
      close_joined(prepared.joined);
      return false;
    }
  }
  prepared.limited = pool_limited_;
  prepared.limits = pool_limits_;
  pool_.push_back(prepared);
  return true;
}

bool Spawner::fill(std::uint32_t wanted, Fault& fault) {
  while (pool_.size() < wanted) {
    if (!prepare_one(fault)) {
      pool_failed_ = true;
      return false;
    }
  }
  return true;
}

void Spawner::drop_pool() {
  for (Prepared& prepared : pool_) {
    close_joined(prepared.joined);
    groups_.remove(prepared.group);
  }
  pool_.clear();
}

// Words of a packet, each with its final zero, behind those of init itself.
std::vector<char*> words_of(char mode, const char* text, std::size_t size) {
  static char name[] = "init";
  static char letter[2];
  letter[0] = mode;
  std::vector<char*> words = {name, letter};
  std::size_t begin = 0;
  for (std::size_t at = 0; at < size; ++at) {
    if (text[at] == 0) {
      words.push_back(const_cast<char*>(text + begin));
      begin = at + 1;
    }
  }
  words.push_back(nullptr);
  return words;
}

void copy_fault(const Fault& fault, Reply& reply) {
  reply.error = fault.error;
  std::memcpy(reply.step, fault.step, kStepBytes);
}

// Moves to the processor of the client's thread, which waits meanwhile. There each process of a
// spawn begins where the last one stopped, with warm caches; to wake another processor takes longer
// than most of the steps.
void Spawner::follow(int processor) {
  if (processor == processor_ || processor < 0 || processor >= CPU_SETSIZE ||
      !CPU_ISSET(processor, &processors_)) {
    return;
  }
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(processor, &only);
  if (sched_setaffinity(0, sizeof only, &only) == 0) {
    processor_ = processor;
  }
}

void Spawner::spawn(const Request& request, const char* text, Received& received, Reply& reply) {
  Entry entry;
  entry.last_ns = now_ns();
  reply.begun_ns = entry.last_ns;
  follow(request.processor);
  entry.helper = &helper_;
  entry.namespaces = request.namespaces;
  entry.flags = request.flags;
  entry.stop_stage = request.stop_stage;
  entry.name = request.name;
  entry.root = request.root_bytes == 0 ? nullptr : text;
  const bool has_command = request.command_bytes != 0;
  const std::vector<char*> words = words_of((request.flags & kImage) != 0 ? 'a'
                                            : has_command                 ? 'r'
                                                                          : 'w',
                                            text + request.root_bytes, request.command_bytes);
  entry.words = words.data();
  // A command may start threads before the helper runs again; init itself has none.
  entry.processors = has_command && processor_ >= 0 ? &processors_ : nullptr;
  std::size_t next = 0;
  entry.control = received.files[next++];
  if ((request.flags & kImage) != 0) {
    entry.image = received.files[next++];
  }
  if ((request.flags & kStandardFiles) != 0) {
    for (int& file : entry.files) {
      file = received.files[next++];
    }
  }
  const GroupLimits limits = {request.memory_bytes, request.cpu_us, request.processes};
  const bool limited = (request.flags & kLimited) != 0;
  Prepared prepared;
  bool ready = true;
  if ((request.flags & kPooled) != 0) {
    if (pool_.empty() || pool_limited_ != limited || (limited && pool_limits_ != limits)) {
      drop_pool();
      pool_limited_ = limited;
      pool_limits_ = limits;
    }
    ready = !pool_.empty() || prepare_one(entry.fault);
    if (ready) {
      prepared = pool_.front();
      pool_.pop_front();
      entry.joined = prepared.joined;
    }
  } else {
    if ((request.flags & kShared) != 0) {
      // The pattern of a mount namespace has a finished root: pivot_root visits every process of
      // the machine, so that a population would grow ever more slowly.
      ready = shared_.user >= 0 || prepare_namespaces(helper_, true, shared_, entry.fault);
      entry.joined = shared_;
      if (entry.root != nullptr || (request.namespaces & kMount) == 0) {
        entry.joined.mount = -1;
      }
    }
    if (ready && limited) {
      ready = open_groups(entry.fault) && groups_.make(limits, prepared.group, entry.fault);
    }
  }
  if (ready) {
    entry.group = prepared.group.exists() ? &prepared.group : nullptr;
    entry.group_version2 = groups_.is_version2();
    entry.lap(kStageCgroup);
    if (enter(entry) && !groups_.settle(limits, prepared.group, entry.fault)) {
      end_process(entry.pid);
      waitpid(entry.pid, nullptr, __WALL);
    }
  }
  Groups::close(prepared.group);
  close_joined(prepared.joined);
  reply.entered_ns = entry.last_ns;
  std::copy(std::begin(entry.stages_ns), std::end(entry.stages_ns), reply.stages_ns);
  if (entry.fault.occurred()) {
    groups_.remove(prepared.group);
    copy_fault(entry.fault, reply);
    return;
  }
  const pid_t pid = entry.pid;
  if (pid <= 0) {
    return copy_fault({kNoErrno, "the container's process is unknown"}, reply);
  }
  if (processor_ >= 0) {
    sched_setaffinity(pid, sizeof processors_, &processors_);
  }
  reply.pid = pid;
  containers_[request.id] = {pid, prepared.group, false, 0};
  ids_[pid] = request.id;
}

void Spawner::reap_all() {
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0;) {
    const auto found = ids_.find(pid);
    if (found != ids_.end()) {
      Container& container = containers_[found->second];
      container.exited = true;
      container.status = status;
      ids_.erase(found);
    }
  }
}

void Spawner::end(Container& container, Reply& reply) {
  if (!container.exited) {
    end_process(container.pid);
    while (waitpid(container.pid, &container.status, __WALL) < 0 && errno == EINTR) {
    }
    ids_.erase(container.pid);
    container.exited = true;
  }
  reply.exited = 1;
  reply.status = container.status;
  reply.exited_ns = now_ns();
  if (!groups_.remove(container.group)) {
    reply.error = EBUSY;
    std::snprintf(reply.step, sizeof reply.step, "rmdir of a control group");
  }
  reply.gone_ns = now_ns();
}

void Spawner::end_all(Reply& reply) {
  for (const auto& [pid, id] : ids_) {
    end_process(pid);
  }
  for (auto& [id, container] : containers_) {
    if (!container.exited) {
      while (waitpid(container.pid, &container.status, __WALL) < 0 && errno == EINTR) {
      }
      container.exited = true;
    }
  }
  ids_.clear();
  reply.exited_ns = now_ns();
  reply.count = static_cast<std::uint32_t>(containers_.size());
  for (auto& [id, container] : containers_) {
    if (!groups_.remove(container.group)) {
      reply.error = EBUSY;
      std::snprintf(reply.step, sizeof reply.step, "rmdir of a control group");
    }
  }
  containers_.clear();
  reply.gone_ns = now_ns();
}

void Spawner::answer(const char* packet, std::size_t size, Received& received, Reply& reply) {
  Request request;
  std::memcpy(&request, packet, sizeof request);
  reply.id = request.id;
  reply.begun_ns = now_ns();
  Fault fault;
  const char* text = packet + sizeof request;
  const auto found = containers_.find(request.id);
  const auto order = static_cast<Order>(request.order);
  if (request.magic != kMagic) {
    fail(fault, EBADMSG, "the request has another version");
  } else if (order == Order::spawn) {
    if (check(request, size - sizeof request, received, fault)) {
      return spawn(request, text, received, reply);
    }
  } else if (order == Order::prepare) {
    pool_goal_ = std::min(request.count, kMaxPool);
    const bool limited = (request.flags & kLimited) != 0;
    const GroupLimits limits = {request.memory_bytes, request.cpu_us, request.processes};
    if (pool_limited_ != limited || pool_limits_ != limits) {
      drop_pool();
      pool_limited_ = limited;
      pool_limits_ = limits;
    }
    pool_failed_ = false;
    fill(pool_goal_, fault);
    reply.count = static_cast<std::uint32_t>(pool_.size());
  } else if (order == Order::destroy_all) {
    return end_all(reply);
  } else if (found == containers_.end()) {
    fail(fault, ESRCH, "the number of the container");
  } else if (order == Order::destroy) {
    end(found->second, reply);
    containers_.erase(found);
    return;
  } else if (order == Order::status) {
    reap_all();
    reply.pid = found->second.pid;
    reply.exited = found->second.exited ? 1 : 0;
    reply.status = found->second.status;
  } else {
    fail(fault, EBADMSG, "the order is unknown");
  }
  copy_fault(fault, reply);
}

void Spawner::serve() {
  alignas(Request) static std::array<char, kMaxPacket> packet;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxFiles * sizeof(int))> control;
  iovec part = {packet.data(), packet.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = recvmsg(helper_.client, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) {
    return;
  }
  if (size <= 0) {
    ending_ = true;
    return;
  }
  Received received;
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
       head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
      const std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count && received.count < kMaxFiles; ++i) {
        std::memcpy(&received.files[received.count++], CMSG_DATA(head) + i * sizeof(int),
                    sizeof(int));
      }
    }
  }
  Reply reply = {};
  reply.magic = kMagic;
  if (static_cast<std::size_t>(size) < sizeof(Request) ||
      (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    reply.error = EBADMSG;
    std::snprintf(reply.step, sizeof reply.step, "the request has a wrong length");
  } else {
    answer(packet.data(), static_cast<std::size_t>(size), received, reply);
  }
  send(reply);
}

int Spawner::run(pid_t parent) {
  Fault fault;
  if (!open(parent, fault)) {
    Reply reply = {};
    reply.magic = kMagic;
    copy_fault(fault, reply);
    send(reply);
    return 1;
  }
  pollfd waits[] = {{helper_.client, POLLIN, 0}, {parent_, POLLIN, 0}, {signals_, POLLIN, 0}};
  while (!ending_) {
    const bool refill = pool_.size() < pool_goal_ && !pool_failed_;
    const int ready = poll(waits, std::size(waits), refill ? kRefillAfterMs : -1);
    if (ready == 0) {
      Fault ignored;  // a spawn that needs it will meet it again, and say so
      fill(static_cast<std::uint32_t>(pool_.size() + 1), ignored);
      continue;
    }
    if (waits[2].revents != 0) {
      signalfd_siginfo signal;
      while (read(signals_, &signal, sizeof signal) == sizeof signal) {
        ending_ = ending_ || signal.ssi_signo == SIGTERM;
      }
      reap_all();
    }
    if (waits[1].revents != 0) {
      ending_ = true;
    } else if (waits[0].revents != 0) {
      serve();
    }
  }
  Reply ignored = {};
  end_all(ignored);
  drop_pool();
  groups_.clear();
  if (janitor_ > 0) {
    close(helper_.life[1]);
    waitpid(janitor_, nullptr, 0);
  }
  return 0;
}

}  // namespace
}  // namespace stratoperf::containers

int main(int count, char** words) {
  if (count != 2) {
    std::fputs("stratoperf_spawner: started by stratoperf.containers, not by hand\n", stderr);
    return 2;
  }
  static stratoperf::containers::Spawner spawner;
  return spawner.run(static_cast<pid_t>(std::strtol(words[1], nullptr, 10)));
}
