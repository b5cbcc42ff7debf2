#include <doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "exported.hpp"
#include "stratoswarm/kernel/command_operation.hpp"
#include "stratoswarm/kernel/device.hpp"
#include "stratoswarm/kernel/namespace_operation.hpp"
#include "stratoswarm/kernel/syscall_operation.hpp"
#include "stratoswarm/memory/handles.hpp"

namespace {

using namespace stratoperf::kernel;
using stratoperf::Exported;

TEST_CASE("kernel: a pipe's replies are all checked") {
  Exported operation(pipe_operation());
  CHECK(operation.run(100));
  CHECK(operation.run(3));
  std::uint64_t checked = 0;
  CHECK(operation.verify(checked));
  CHECK(checked == 103);
}

TEST_CASE("kernel: the results of system calls are all checked") {
  for (const Syscall call : {Syscall::getpid, Syscall::openat, Syscall::mmap}) {
    Exported operation(syscall_operation(call));
    CHECK(operation.run(20));
    std::uint64_t checked = 0;
    CHECK(operation.verify(checked));
    CHECK(checked == 20);
  }
}

TEST_CASE("kernel: a device of another driver refuses, with the command and the error") {
  const stratoperf::memory::Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  const Device device(null.number());
  std::uint64_t agent = 1;
  try {
    device.call(Command::agent_destroy, agent);
    FAIL("/dev/null destroyed an agent");
  } catch (const CommandError& error) {
    // An emulator of user programs answers commands that it does not know by itself.
    CHECK((error.number() == ENOTTY || error.number() == ENOSYS));
    CHECK(std::string(error.command()) == "AGENT_DESTROY");
  }
  CHECK_THROWS_AS(command_operation(null.number(), Command::gpu_alloc, FreeForm::value),
                  CommandError);
}

TEST_CASE("kernel: a text that does not fit into its field is refused by name") {
  AgentConfig config = {};
  set_text(config.name, std::string(63, 'n'), "name");
  CHECK(std::strlen(static_cast<const char*>(config.name)) == 63);
  CHECK_THROWS_AS(set_text(config.name, std::string(64, 'n'), "name"), std::invalid_argument);
  CHECK_THROWS_AS(set_text(config.name, std::string("a\0b", 3), "name"), std::invalid_argument);
}

TEST_CASE("kernel: an unknown type of namespace is refused") {
  CHECK_THROWS_AS(namespace_operation("utz", NamespaceAction::create), std::invalid_argument);
  CHECK_THROWS_AS(namespace_operation("user", NamespaceAction::leave), stratoperf::Failure);
}

}  // namespace
