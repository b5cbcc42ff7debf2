#include "stratoswarm/containers/client.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

#include "core/failure.hpp"
#include "stratoswarm/containers/fault.hpp"
#include "stratoswarm/ending.hpp"

namespace stratoperf::containers {
namespace {

constexpr std::size_t kMaxText = 8192;  // of one message of an init
constexpr int kEndMs = 10'000;          // in which a helper ends with thousands of containers

[[noreturn]] void throw_error(const std::string& what, int error) {
  throw Failure(what + ": " + std::strerror(error));
}

std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

std::string killed_by(int signal) {
  return "killed by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
}

// Whether there is something to read before the time is over.
bool readable(int descriptor, int timeout_ms) {
  pollfd wait = {descriptor, POLLIN, 0};
  const std::uint64_t end = monotonic_ns() + static_cast<std::uint64_t>(timeout_ms) * 1'000'000U;
  for (int rest = timeout_ms;;) {
    const int ready = poll(&wait, 1, rest);
    if (ready > 0) {
      return true;
    }
    const std::uint64_t now = monotonic_ns();
    if (now >= end || (ready < 0 && errno != EINTR)) {
      return false;
    }
    rest = static_cast<int>((end - now) / 1'000'000U) + 1;
  }
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    number_ = other.release();
  }
  return *this;
}

int Descriptor::release() {
  const int number = number_;
  number_ = -1;
  return number;
}

void Descriptor::reset() {
  if (number_ >= 0) {
    ::close(number_);
  }
  number_ = -1;
}

Client::Client(const std::string& program, int timeout_ms)
    : owner_(getpid()), timeout_ms_(timeout_ms) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw_error("socketpair", errno);
  }
  socket_ = Descriptor(ends[0]);
  Descriptor other(ends[1]);
  const std::string parent = std::to_string(getpid());
  char* const words[] = {const_cast<char*>(program.c_str()), const_cast<char*>(parent.c_str()),
                         nullptr};
  char* const environment[] = {nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, other.number(), 3);
  const int error = posix_spawn(&pid_, program.c_str(), &actions, nullptr, words, environment);
  posix_spawn_file_actions_destroy(&actions);
  other.reset();  // or the end of a helper that is killed at once would not be seen
  if (error != 0) {
    pid_ = -1;
    throw Failure("the helper " + program + " does not start: " + std::strerror(error),
                  Failure::Kind::unavailable);
  }
  try {
    prepare(0, {});
  } catch (...) {
    close();
    throw;
  }
}

Client::~Client() { close(); }

void Client::close() {
  const std::lock_guard lock(mutex_);
  socket_.reset();
  if (pid_ <= 0 || owner_ != getpid()) {
    return;
  }
  // It ends by itself; a helper that is stuck is killed, and its containers with it.
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (process >= 0) {
    if (!readable(process, kEndMs)) {
      end_process(pid_);
    }
    ::close(process);
  }
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void Client::throw_ended() {
  // What it said last, which may lie behind the error that the end of the connection is.
  Reply last = {};
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (recv(socket_.number(), &last, sizeof last, MSG_DONTWAIT) == sizeof last &&
        last.error != 0) {
      last.step[kStepBytes - 1] = 0;
      throw Failure(explained(last), Failure::Kind::unavailable);
    }
  }
  // It stays a zombie, whose number is nobody else's, until the client is closed.
  siginfo_t end = {};
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  const bool ended = process >= 0 && readable(process, timeout_ms_) &&
                     waitid(P_PID, static_cast<id_t>(pid_), &end, WEXITED | WNOWAIT | WNOHANG) == 0;
  if (process >= 0) {
    ::close(process);
  }
  const bool killed = ended && (end.si_code == CLD_KILLED || end.si_code == CLD_DUMPED);
  const std::string how = killed ? "was " + killed_by(end.si_status) : "ended";
  throw Failure(
      "the helper of the containers " + how + "; make a new spawner",
      killed && end.si_status == SIGSYS ? Failure::Kind::unavailable : Failure::Kind::failed);
}

void Client::need_open() const {
  if (!is_open()) {
    throw Failure("the spawner is closed; make a new one");
  }
}

void Client::send(const Request& request, const ContainerSettings& settings, const int* files,
                  std::size_t file_count) {
  need_open();
  std::string text;
  if (request.root_bytes != 0) {
    text.append(settings.root.c_str(), settings.root.size() + 1);
  }
  if (request.command_bytes != 0) {
    for (const std::string& word : settings.command) {
      text.append(word.c_str(), word.size() + 1);
    }
  }
  iovec parts[2] = {{const_cast<Request*>(&request), sizeof request}, {text.data(), text.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(5 * sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  if (file_count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(file_count * sizeof(int));
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(file_count * sizeof(int));
    std::memcpy(CMSG_DATA(head), files, file_count * sizeof(int));
  }
  while (sendmsg(socket_.number(), &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      const int error = errno;
      if (error == EPIPE || error == ECONNRESET) {
        throw_ended();
      }
      throw_error("sendmsg to the helper", error);
    }
  }
}

Reply Client::receive() {
  need_open();
  Reply reply = {};
  ssize_t size = -1;
  if (!readable(socket_.number(), timeout_ms_)) {
    throw Failure("the helper did not answer within " + std::to_string(timeout_ms_) +
                  " ms; close the spawner");
  }
  while ((size = recv(socket_.number(), &reply, sizeof reply, MSG_TRUNC)) < 0 && errno == EINTR) {
  }
  if (size == 0 || (size < 0 && errno == ECONNRESET)) {
    throw_ended();
  }
  if (size != static_cast<ssize_t>(sizeof reply) || reply.magic != kMagic) {
    throw Failure("the helper's answer has another version or length; install the package again");
  }
  reply.step[kStepBytes - 1] = 0;
  return reply;
}

Reply Client::ask(Order order, std::uint64_t id, const ContainerSettings* settings,
                  std::uint32_t count) {
  const std::lock_guard lock(mutex_);
  if (pending_) {
    collect();
  }
  Request request = {};
  request.magic = kMagic;
  request.order = static_cast<std::uint32_t>(order);
  request.id = id;
  request.count = count;
  ContainerSettings none;
  if (settings != nullptr) {
    request.flags = settings->flags & kLimited;
    request.memory_bytes = settings->memory_bytes;
    request.cpu_us = settings->cpu_us;
    request.processes = settings->processes;
  }
  send(request, none, nullptr, 0);
  return receive();
}

Held Client::start(const ContainerSettings& settings) {
  const std::lock_guard lock(mutex_);
  if (pending_) {
    collect();
  }
  Request request = {};
  request.magic = kMagic;
  request.order = static_cast<std::uint32_t>(Order::spawn);
  request.id = ++next_id_;
  request.processor = sched_getcpu();
  request.namespaces = settings.namespaces;
  request.flags = settings.flags;
  request.memory_bytes = settings.memory_bytes;
  request.cpu_us = settings.cpu_us;
  request.processes = settings.processes;
  request.stop_stage = settings.stop_stage;
  std::memcpy(request.name, settings.name.c_str(), std::min(settings.name.size(), kNameBytes - 1));
  request.root_bytes =
      settings.root.empty() ? 0 : static_cast<std::uint32_t>(settings.root.size() + 1);
  for (const std::string& word : settings.command) {
    request.command_bytes += static_cast<std::uint32_t>(word.size() + 1);
  }
  if (sizeof request + request.root_bytes + request.command_bytes > kMaxPacket) {
    throw std::invalid_argument("command: its words are longer than " +
                                std::to_string(kMaxPacket - sizeof request) + " bytes together");
  }
  Held held;
  held.id = request.id;
  held.ready.called_ns = monotonic_ns();
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw_error("socketpair for a container", errno);
  }
  held.control = Descriptor(ends[0]);
  Descriptor other(ends[1]);
  int files[5];
  std::size_t count = 0;
  files[count++] = other.number();
  if ((request.flags & kImage) != 0) {
    files[count++] = settings.image;
  }
  if ((request.flags & kStandardFiles) != 0) {
    for (const int file : settings.files) {
      files[count++] = file;
    }
  }
  send(request, settings, files, count);
  other.reset();
  pending_ = true;
  InitMessage message;
  std::string text;
  bool received = false;
  try {
    received = receive_message(held.control.number(), timeout_ms_, message, text);
  } catch (const Failure&) {
    // It is alive and silent.
    collect();
    destroy(held.id);
    throw;
  }
  if (received && message.kind == static_cast<std::uint32_t>(Report::ready)) {
    held.ready.clock_ns = message.clock_ns;
    held.ready.checksum = message.checksum;
    held.ready.value = message.value;
    return held;
  }
  const Reply reply = collect();
  const Reply ended = destroy(reply.id);
  std::string why = "its init ";
  if (received) {
    why = text + ": " + std::strerror(static_cast<int>(message.value));
  } else if (!WIFSIGNALED(ended.status)) {
    why +=
        "ended with status " + std::to_string(WEXITSTATUS(ended.status)) + " before it was ready";
  } else {
    const int signal = WTERMSIG(ended.status);
    why += "was " + killed_by(signal) + " in execveat or before it was ready";
    if (signal == SIGKILL && settings.memory_bytes != 0) {
      why += "; look at its memory limit";
    }
  }
  const bool is_refused =
      !received && WIFSIGNALED(ended.status) && WTERMSIG(ended.status) == SIGSYS;
  throw Failure("the container does not start: " + why,
                is_refused ? Failure::Kind::unavailable : Failure::Kind::failed);
}

Reply Client::collect() {
  const std::lock_guard lock(mutex_);
  pending_ = false;
  Reply reply = receive();
  if (reply.error != 0) {
    throw Failure(explained(reply), Failure::Kind::unavailable);
  }
  return reply;
}

void complete_stages(Reply& reply, const Ready& ready) {
  reply.stages_ns[kStageExec] = ready.clock_ns - reply.entered_ns;
  reply.stages_ns[kStageRequest] = reply.begun_ns - ready.called_ns;
}

Held Client::spawn(const ContainerSettings& settings, Reply& reply) {
  const std::lock_guard lock(mutex_);
  Held held = start(settings);
  reply = collect();
  complete_stages(reply, held.ready);
  if (settings.command.empty()) {
    return held;
  }
  // The end of the connection says that the command runs, a message why it does not.
  InitMessage message;
  std::string text;
  if (receive_message(held.control.number(), timeout_ms_, message, text)) {
    destroy(held.id);
    throw std::invalid_argument("command: " + text + " cannot be executed in the container: " +
                                std::strerror(static_cast<int>(message.value)) +
                                "; name a program by its path in the container's root");
  }
  return held;
}

Reply Client::destroy(std::uint64_t id) {
  Reply reply = ask(Order::destroy, id, nullptr, 0);
  if (reply.error != 0) {
    throw Failure(explained(reply));
  }
  return reply;
}

Reply Client::destroy_all() {
  Reply reply = ask(Order::destroy_all, 0, nullptr, 0);
  if (reply.error != 0) {
    throw Failure(explained(reply));
  }
  return reply;
}

Reply Client::status(std::uint64_t id) {
  Reply reply = ask(Order::status, id, nullptr, 0);
  if (reply.error != 0) {
    throw Failure(explained(reply));
  }
  return reply;
}

Reply Client::prepare(std::uint32_t count, const ContainerSettings& settings) {
  Reply reply = ask(Order::prepare, 0, &settings, count);
  if (reply.error != 0) {
    throw Failure(explained(reply), Failure::Kind::unavailable);
  }
  return reply;
}

std::string explained(const Reply& reply) {
  const std::string what = "the container does not start: " + std::string(reply.step);
  return reply.error == kNoErrno ? what : what + ": " + std::strerror(reply.error);
}

bool receive_message(int control, int timeout_ms, InitMessage& message, std::string& text) {
  if (!readable(control, timeout_ms)) {
    throw Failure("the container did not report within " + std::to_string(timeout_ms) + " ms");
  }
  text.resize(kMaxText);
  iovec parts[2] = {{&message, sizeof message}, {text.data(), text.size()}};
  msghdr packet = {};
  packet.msg_iov = parts;
  packet.msg_iovlen = 2;
  ssize_t size = -1;
  while ((size = recvmsg(control, &packet, 0)) < 0 && errno == EINTR) {
  }
  if (size <= 0) {
    return false;
  }
  if (static_cast<std::size_t>(size) < sizeof message) {
    throw Failure("the container sent a message of a wrong length");
  }
  if (message.magic != kMagic) {
    throw Failure("the container sent a message of another kind");
  }
  text.resize(static_cast<std::size_t>(size) - sizeof message);
  return true;
}

void send_message(int control, const std::string& message) {
  while (::send(control, message.data(), message.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      throw_error("send to the container", errno);
    }
  }
}

Ready execute_again(int control, int timeout_ms) {
  Ready ready;
  ready.called_ns = monotonic_ns();
  send_message(control, "x");
  InitMessage message;
  std::string text;
  if (!receive_message(control, timeout_ms, message, text)) {
    throw Failure("the parked container ended");
  }
  if (message.kind != static_cast<std::uint32_t>(Report::ready)) {
    throw Failure("the parked container cannot execute its program: " +
                  std::string(std::strerror(static_cast<int>(message.value))));
  }
  ready.clock_ns = message.clock_ns;
  return ready;
}

void echo(int control, int timeout_ms, const std::string& message) {
  send_message(control, "e" + message);
  InitMessage head;
  std::string text;
  if (!receive_message(control, timeout_ms, head, text)) {
    throw Failure("the container ended");
  }
  if (head.kind != static_cast<std::uint32_t>(Report::echo) || text != message) {
    throw Failure("the container answered with another message", Failure::Kind::wrong);
  }
}

std::uint64_t checksum_of(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  std::uint64_t checksum = kChecksumSeed;
  for (std::size_t at = 0; at < size; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, std::min<std::size_t>(8, size - at));
    checksum = mixed(checksum, word);
  }
  return checksum;
}

}  // namespace stratoperf::containers
