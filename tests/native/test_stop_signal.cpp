#include <csignal>

#include "core/stop_signal.hpp"
#include "doctest.h"

namespace stratoperf {
namespace {

volatile std::sig_atomic_t handled = 0;

void count_signal(int) { handled = handled + 1; }

// Installs a handler and puts the old one back.
class Handler {
 public:
  explicit Handler(void (*handler)(int)) {
    struct sigaction action = {};
    action.sa_handler = handler;
    sigaction(SIGINT, &action, &old_);
  }
  ~Handler() { sigaction(SIGINT, &old_, nullptr); }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

 private:
  struct sigaction old_ = {};
};

TEST_CASE("a signal sets the token and still reaches the handler that was there") {
  handled = 0;
  const Handler handler(count_signal);
  std::int32_t token = 0;
  {
    const StopOnSignal guard(token);
    raise(SIGINT);
  }
  CHECK(token == 1);
  CHECK(handled == 1);
}

TEST_CASE("afterwards the token is left alone") {
  handled = 0;
  const Handler handler(count_signal);
  std::int32_t token = 0;
  {
    const StopOnSignal guard(token);
  }
  raise(SIGINT);
  CHECK(token == 0);
  CHECK(handled == 1);
}

TEST_CASE("nested measurements all stop") {
  handled = 0;
  const Handler handler(count_signal);
  std::int32_t outer = 0;
  std::int32_t inner = 0;
  {
    const StopOnSignal outer_guard(outer);
    {
      const StopOnSignal inner_guard(inner);
      raise(SIGINT);
    }
    CHECK(outer == 1);
    CHECK(inner == 1);
    CHECK(handled == 1);
    outer = inner = 0;
    raise(SIGINT);
  }
  CHECK(outer == 1);
  CHECK(inner == 0);
}

TEST_CASE("an ignored signal stays ignored") {
  const Handler handler(SIG_IGN);
  std::int32_t token = 0;
  {
    const StopOnSignal guard(token);
    raise(SIGINT);
  }
  CHECK(token == 0);
}

TEST_CASE("a handler that was installed meanwhile is not taken away") {
  handled = 0;
  std::int32_t token = 0;
  struct sigaction current = {};
  const Handler outside(count_signal);
  struct sigaction mine = {};
  mine.sa_handler = SIG_IGN;
  {
    const StopOnSignal guard(token);
    sigaction(SIGINT, &mine, nullptr);
  }
  sigaction(SIGINT, nullptr, &current);
  const bool kept = current.sa_handler == SIG_IGN;
  CHECK(kept);
}

}  // namespace
}  // namespace stratoperf
