// What the client, the helper and a container's init say to each other. Every message is one packet
// of a SOCK_SEQPACKET socket, whose size is checked before anything in it is read.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stratoperf::containers {

constexpr std::uint32_t kMagic = 0x53504331;  // "SPC1"
constexpr std::size_t kMaxPacket = 32 * 1024;
constexpr std::size_t kMaxRoot = 4096;
constexpr std::size_t kNameBytes = 64;  // with the final zero, as the kernel has it
constexpr std::size_t kStepBytes = 128;

enum Namespace : std::uint32_t {
  kMount = 1,
  kUts = 2,
  kIpc = 4,
  kNetwork = 8,
  kPid = 16,
  kUser = 32,
  kCgroup = 64,
  kAllNamespaces = 127,
};

enum Flag : std::uint32_t {
  kPooled = 1,          // take user, network and mount namespaces and control groups from the pool
  kShared = 2,          // join the user and network namespaces that all such containers share
  kParked = 4,          // init keeps a descriptor of its own program, in order to execute it again
  kImage = 8,           // a memory image comes with the request
  kStandardFiles = 16,  // descriptors 0, 1 and 2 come with the request
  kLimited = 32,        // a control group with limits
  kAllFlags = 63,
};

enum class Order : std::uint32_t {
  spawn = 1,
  destroy = 2,
  status = 3,
  prepare = 4,
  destroy_all = 5
};

// Where the time goes, in the order of the first use. The client computes the last two.
enum Stage : std::uint32_t {
  kStageCgroup,
  kStageClone,
  kStageNamespaces,
  kStageRoot,
  kStageProc,
  kStageIdentity,
  kStageSeccomp,
  kStageExec,     // from the last step in the helper's memory to the first instruction of init
  kStageRequest,  // from the call to the helper's first step
  kStages,
};

constexpr const char* kStageNames[kStages] = {"cgroup",   "clone",   "namespaces", "root",   "proc",
                                              "identity", "seccomp", "exec",       "request"};

// Followed by the path of the root with its final zero, when root_bytes is not 0, and the words of
// the command, each with its final zero. Descriptors: the container's end of the control socket,
// then the image, then three standard files.
struct Request {
  std::uint32_t magic;
  std::uint32_t order;
  std::uint64_t id;
  std::uint32_t namespaces;
  std::uint32_t flags;
  std::uint64_t memory_bytes;
  std::uint64_t cpu_us;  // in each 100 ms
  std::uint64_t processes;
  std::uint32_t count;       // prepare: how many sets the pool holds
  std::uint32_t stop_stage;  // for tests: wait at the end of this stage - 1 until the client ends
  std::uint32_t root_bytes;
  std::uint32_t command_bytes;
  std::int32_t processor;  // spawn: that the client's thread runs on, or -1
  char name[kNameBytes];
};

struct Reply {
  std::uint32_t magic;
  std::int32_t error;  // errno of the step that failed, or 0
  std::uint64_t id;
  std::int32_t pid;
  std::int32_t exited;  // destroy and status: whether it has exited, with which status of wait
  std::int32_t status;
  std::uint32_t count;  // prepare: sets in the pool; destroy_all: containers that were destroyed
  std::uint64_t begun_ns;
  std::uint64_t entered_ns;  // spawn: before the exec of init
  std::uint64_t exited_ns;   // all processes are reaped
  std::uint64_t gone_ns;     // all control groups are removed
  std::uint64_t stages_ns[kStages];
  char step[kStepBytes];
};

enum class Report : std::uint32_t { ready = 1, failed = 2, section = 3, done = 4, echo = 5 };

// What init sends; the rest of the packet is text.
struct InitMessage {
  std::uint32_t magic;
  std::uint32_t kind;
  std::int64_t value;
  std::uint64_t clock_ns;
  std::uint64_t checksum;
};

constexpr int kControl = 3;  // init's descriptor of the control socket
constexpr int kExtra = 4;    // its image, or its own program

constexpr std::size_t kPersonalityBytes = 5 * 4;

constexpr std::uint64_t kChecksumSeed = 0xcbf29ce484222325U;

// One more word of an image.
constexpr std::uint64_t mixed(std::uint64_t checksum, std::uint64_t word) {
  checksum = (checksum ^ word) * 0x9e3779b97f4a7c15U;
  return checksum ^ (checksum >> 32);
}

}  // namespace stratoperf::containers
