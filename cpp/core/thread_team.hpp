// A few threads that wait between pieces of parallel work.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

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

  unsigned members() const { return static_cast<unsigned>(threads_.size()) + 1; }

  // Calls task(member) once on every member and returns when all are done. What a task throws is
  // thrown here (the first of several). From one thread at a time.
  void run(const std::function<void(unsigned)>& task);

 private:
  void work(unsigned member);
  void call(unsigned member, const std::function<void(unsigned)>& task) noexcept;
  void stop_all();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void(unsigned)>* task_ = nullptr;
  std::uint64_t generation_ = 0;  // counts tasks, so that a member takes each once
  unsigned running_ = 0;          // started threads that have not finished the task
  bool stopping_ = false;
  std::exception_ptr error_ = nullptr;
  std::vector<std::thread> threads_;
};

}  // namespace stratoperf
