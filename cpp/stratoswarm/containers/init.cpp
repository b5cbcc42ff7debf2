// The first process of a container: a static program of ours without libc. Its first instructions
// read the clock and tell the client, over the control socket, that the sandbox is complete. Then
// it runs the given command, loads an agent's memory image, or waits for what the client asks: to
// look around and report, to answer a message, to execute a program.
#include <linux/fcntl.h>

#include <cstddef>
#include <cstdint>

#include "stratoswarm/containers/protocol.hpp"
#include "stratoswarm/containers/system_calls.hpp"

// The compiler may call these for what looks like them.
extern "C" void* memcpy(void* to, const void* from, std::size_t size) {
  auto* target = static_cast<char*>(to);
  const auto* source = static_cast<const char*>(from);
  for (std::size_t i = 0; i < size; ++i) {
    target[i] = source[i];
  }
  return to;
}

extern "C" void* memset(void* to, int value, std::size_t size) {
  auto* target = static_cast<char*>(to);
  for (std::size_t i = 0; i < size; ++i) {
    target[i] = static_cast<char>(value);
  }
  return to;
}

namespace stratoperf::containers {
namespace {

constexpr std::size_t kBuffer = 8192;
constexpr int kMaxWords = 256;

[[noreturn]] void leave(int status) {
  for (;;) {
    call(SYS_exit_group, status);
  }
}

// One packet: the head, and text behind it.
struct Packet {
  InitMessage head;
  char text[kBuffer];
  std::size_t length;

  void add(const char* words) {
    while (*words != 0 && length < kBuffer) {
      text[length++] = *words++;
    }
  }
  void add_zero() { text[length++] = 0; }
  void add_number(std::int64_t number) {
    char digits[24];
    std::size_t count = 0;
    if (number < 0) {
      add("-");
    }
    std::uint64_t rest =
        number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
    do {
      digits[count++] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    while (count > 0) {
      text[length++] = digits[--count];
    }
  }
  void send(Report kind) {
    head.magic = kMagic;
    head.kind = static_cast<std::uint32_t>(kind);
    call(SYS_write, kControl, &head, sizeof head + length);
    length = 0;
  }
};

Packet packet;
char input[kMaxPacket];

void begin_section(const char* name) {
  packet.length = 0;
  packet.add(name);
  packet.add_zero();
}

void report_number(const char* name, long number) {
  begin_section(name);
  packet.add_number(number);
  packet.send(Report::section);
}

void report_file(const char* name, const char* path) {
  const long file = call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return;
  }
  for (;;) {
    begin_section(name);
    const long size = call(SYS_read, file, packet.text + packet.length, kBuffer / 2);
    if (size <= 0) {
      break;
    }
    packet.length += static_cast<std::size_t>(size);
    packet.send(Report::section);
  }
  call(SYS_close, file);
}

// Appends what a link names.
void add_link(long folder, const char* path) {
  const long size =
      call(SYS_readlinkat, folder, path, packet.text + packet.length, std::size_t{256});
  packet.length += size > 0 ? static_cast<std::size_t>(size) : 0;
}

struct Entry {
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[1];
};

void report_folder(const char* section, const char* path, bool links) {
  const long folder = call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    return;
  }
  begin_section(section);
  long size = 0;
  while ((size = call(SYS_getdents64, folder, input, sizeof input)) > 0) {
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const Entry*>(input + at);
      at += entry->size;
      // The descriptor that reads the folder is not one of the container's.
      char own[2] = {static_cast<char>('0' + folder), 0};
      const bool is_own = links && entry->name[0] == own[0] && entry->name[1] == 0;
      if (entry->name[0] != '.' && !is_own && packet.length < kBuffer - 600) {
        packet.add(entry->name);
        packet.add(" ");
        if (links) {
          add_link(folder, entry->name);
        }
        packet.add("\n");
      }
    }
  }
  call(SYS_close, folder);
  packet.send(Report::section);
}

void report_all() {
  static constexpr const char* kNamespaces[] = {"user", "mnt", "pid",   "net",
                                                "uts",  "ipc", "cgroup"};
  begin_section("namespaces");
  const long folder =
      call(SYS_openat, AT_FDCWD, "/proc/self/ns", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    for (const char* name : kNamespaces) {
      add_link(folder, name);
      packet.add("\n");
    }
    call(SYS_close, folder);
  }
  packet.send(Report::section);
  begin_section("cwd");
  const long size = call(SYS_getcwd, packet.text + packet.length, std::size_t{4096});
  packet.length += size > 0 ? static_cast<std::size_t>(size) - 1 : 0;
  packet.send(Report::section);
  report_folder("descriptors", "/proc/self/fd", true);
  report_folder("root", "/", false);
  report_folder("dev", "/dev", false);
  report_file("mountinfo", "/proc/self/mountinfo");
  report_file("status", "/proc/self/status");
  report_file("uid_map", "/proc/self/uid_map");
  report_file("gid_map", "/proc/self/gid_map");
  report_file("setgroups", "/proc/self/setgroups");
  report_file("limits", "/proc/self/limits");
  report_file("cgroup", "/proc/self/cgroup");
  report_file("hostname", "/proc/sys/kernel/hostname");
  report_number("pid", call(SYS_getpid));
  // Changes nothing and succeeds for everyone, so that only the filter can refuse it.
  report_number("forbidden", call(SYS_unshare, 0));
  report_number("write", call(SYS_mkdirat, AT_FDCWD, "/written", 0700));
  packet.length = 0;
  packet.send(Report::done);
}

void fail(long error, const char* what) {
  packet.length = 0;
  packet.head.value = -error;
  packet.add(what);
  packet.send(Report::failed);
  packet.head.value = 0;
}

char* no_environment[] = {const_cast<char*>("PATH=/usr/local/bin:/usr/bin:/bin"), nullptr};

void close_on_exec(int descriptor) { call(SYS_fcntl, descriptor, F_SETFD, 1 /* FD_CLOEXEC */); }

// Executes a program of the root; the control socket closes with that, which tells the client.
void run(char** words) {
  close_on_exec(kControl);
  close_on_exec(kExtra);
  const long error = call(SYS_execve, words[0], words, no_environment);
  fail(error, words[0]);
}

// The words of a packet, each with its final zero.
bool run_packet(char* text, std::size_t size) {
  char* words[kMaxWords + 1];
  int count = 0;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < size && count < kMaxWords; ++at) {
    if (text[at] == 0) {
      words[count++] = text + begin;
      begin = at + 1;
    }
  }
  words[count] = nullptr;
  if (count == 0) {
    char* own[] = {const_cast<char*>("init"), const_cast<char*>("w"), nullptr};
    fail(call(SYS_execveat, kExtra, "", own, no_environment, 0x1000 /* AT_EMPTY_PATH */), "init");
    return false;
  }
  run(words);
  return false;
}

// Loads the five floats and the image behind them; false when memory does not suffice.
bool load_image() {
  const long size = call(SYS_lseek, kExtra, 0, 2 /* SEEK_END */);
  if (size < static_cast<long>(kPersonalityBytes) || call(SYS_lseek, kExtra, 0, 0) < 0) {
    fail(-22, "image");
    return false;
  }
  const auto room = (static_cast<std::size_t>(size) + 7) / 8 * 8;
  // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS; the offset is 0.
  const long memory = call(SYS_mmap, nullptr, room, 3, 0x22, -1);
  if (memory < 0) {
    fail(memory, "mmap");
    return false;
  }
  auto* words = reinterpret_cast<std::uint64_t*>(memory);
  for (long done = 0; done < size;) {
    const long part = call(SYS_read, kExtra, reinterpret_cast<char*>(words) + done, size - done);
    if (part <= 0) {
      fail(part, "read");
      return false;
    }
    done += part;
  }
  std::uint64_t checksum = kChecksumSeed;
  for (std::size_t i = 0; i < room / 8; ++i) {
    checksum = mixed(checksum, words[i]);
  }
  packet.head.checksum = checksum;
  packet.head.value = size;
  call(SYS_close, kExtra);
  return true;
}

[[noreturn]] void serve() {
  for (;;) {
    const long size = call(SYS_read, kControl, input, sizeof input);
    if (size == -4 /* EINTR */) {
      continue;
    }
    if (size <= 0) {
      leave(0);  // the client is gone
    }
    const auto length = static_cast<std::size_t>(size) - 1;
    if (input[0] == 'v') {
      report_all();
    } else if (input[0] == 'e') {
      packet.length = length < kBuffer ? length : kBuffer;
      memcpy(packet.text, input + 1, packet.length);
      packet.send(Report::echo);
    } else if (input[0] == 'x') {
      run_packet(input + 1, length);
    }
  }
}

}  // namespace
}  // namespace stratoperf::containers

extern "C" [[noreturn]] void stratoperf_init(long* stack) {
  using namespace stratoperf::containers;
  packet.head.clock_ns = now_ns();
  auto** words = reinterpret_cast<char**>(stack + 1);
  const char mode = stack[0] > 1 ? words[1][0] : 'w';
  if (mode == 'a' && !load_image()) {
    leave(1);
  }
  packet.send(Report::ready);
  if (mode == 'r') {
    run(words + 2);
    leave(127);
  }
  serve();
}

#if defined(__x86_64__)
asm(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n"
    "  call stratoperf_init\n  hlt\n");
#else
asm(".globl _start\n_start:\n  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n"
    "  bl stratoperf_init\n");
#endif
