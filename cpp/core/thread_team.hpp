// A few threads that wait between pieces of parallel work.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/fork.hpp"

namespace stratoperf {

// Runs the same task on several threads and waits for all of them. Between two tasks the threads
// sleep; nothing spins. The calling thread is member 0.
class ThreadTeam {
 public:
  // `members` counts the calling thread; members - 1 threads are started.
  explicit ThreadTeam(unsigned members);
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam();

  unsigned members() const { return members_; }

  // Calls task(member) once on every member and returns when all are done. What a task throws is
  // thrown here (the first of several). From one thread at a time. Throws Forked in a process that
  // was forked from the one that made the team: its threads are not there.
  void run(const std::function<void(unsigned)>& task);

 private:
  // What the threads share.
  struct Shared {
    std::mutex mutex = {};
    std::condition_variable wake = {};
    std::condition_variable done = {};
    const std::function<void(unsigned)>* task = nullptr;
    std::uint64_t generation = 0;  // counts tasks, so that a member takes each once
    unsigned running = 0;          // started threads that have not finished the task
    bool stopping = false;
    std::exception_ptr error = nullptr;
    std::vector<std::thread> threads = {};
  };

  static void work(Shared& shared, unsigned member);
  static void call(Shared& shared, unsigned member,
                   const std::function<void(unsigned)>& task) noexcept;
  void stop_all();

  OwnProcess process_ = {};
  unsigned members_;
  std::unique_ptr<Shared> shared_;
};

}  // namespace stratoperf
