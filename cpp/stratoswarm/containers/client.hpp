// The client of the helper that starts containers.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "stratoswarm/containers/protocol.hpp"

namespace stratoperf::containers {

// A descriptor that closes with its owner.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  int number() const { return number_; }
  int release();
  void reset();

 private:
  int number_;
};

struct ContainerSettings {
  std::uint32_t namespaces = kAllNamespaces;
  std::uint32_t flags = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t cpu_us = 0;
  std::uint64_t processes = 0;
  std::uint32_t stop_stage = 0;
  std::string name = "container";
  std::string root = {};  // empty: the minimal root
  std::vector<std::string> command = {};
  int image = -1;
  std::vector<int> files = {};  // none or three
};

// What the first instructions of an init told.
struct Ready {
  std::uint64_t called_ns = 0;  // CLOCK_MONOTONIC before the request was sent
  std::uint64_t clock_ns = 0;   // the same clock, read by the container's first instruction
  std::uint64_t checksum = 0;   // of an image
  std::int64_t value = 0;       // its size
};

// Fills in the stages that only the client knows, since init reports to it.
void complete_stages(Reply& reply, const Ready& ready);

// A container that is ready, as far as its client holds it.
struct Held {
  std::uint64_t id = 0;
  Descriptor control;
  Ready ready;
};

class Client {
 public:
  // Starts the helper `program`; throws Failure where it does not start.
  explicit Client(const std::string& program, int timeout_ms);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Until the container's first instruction. The helper's reply is left for `collect`; it is
  // collected, and thrown as a Failure, where no container came of the request.
  Held start(const ContainerSettings& settings);
  // The helper's reply to the last `start`, with what the stages took.
  Reply collect();
  Held spawn(const ContainerSettings& settings, Reply& reply);
  Reply destroy(std::uint64_t id);
  Reply destroy_all();
  Reply status(std::uint64_t id);
  // Fills the pool with sets of namespaces and groups with these limits, and keeps it filled.
  Reply prepare(std::uint32_t count, const ContainerSettings& settings);
  // Ends the helper and with it all containers. Does nothing the second time.
  void close();
  bool is_open() const { return socket_.number() >= 0; }
  pid_t pid() const { return pid_; }
  int timeout_ms() const { return timeout_ms_; }

 private:
  Reply ask(Order order, std::uint64_t id, const ContainerSettings* settings, std::uint32_t count);
  Reply receive();
  void send(const Request& request, const ContainerSettings& settings, const int* files,
            std::size_t file_count);
  void need_open() const;
  [[noreturn]] void throw_ended();

  Descriptor socket_;
  pid_t pid_ = -1;
  pid_t owner_ = -1;
  int timeout_ms_;
  std::uint64_t next_id_ = 0;
  bool pending_ = false;
  std::recursive_mutex mutex_;
};

// What the helper could not do, as a sentence.
std::string explained(const Reply& reply);

// The next message of an init; false at the end of the connection. Throws Failure after the time.
bool receive_message(int control, int timeout_ms, InitMessage& message, std::string& text);
void send_message(int control, const std::string& message);

// Executes init's own program again in a parked container, until its first instruction.
Ready execute_again(int control, int timeout_ms);

// Sends a message to an init and waits for the same back.
void echo(int control, int timeout_ms, const std::string& message);

// The checksum that an init computes of these bytes.
std::uint64_t checksum_of(const void* data, std::size_t size);

}  // namespace stratoperf::containers
