#include "core/thread_team.hpp"

#include <stdexcept>
#include <utility>

namespace stratoperf {

ThreadTeam::ThreadTeam(unsigned members) {
  if (members == 0) {
    throw std::invalid_argument("threads: must be at least 1, got 0");
  }
  try {
    threads_.reserve(members - 1);
    for (unsigned member = 1; member < members; ++member) {
      threads_.emplace_back([this, member] { work(member); });
    }
  } catch (...) {
    stop_all();  // those that did start would otherwise end the process
    throw;
  }
}

ThreadTeam::~ThreadTeam() { stop_all(); }

void ThreadTeam::stop_all() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

void ThreadTeam::run(const std::function<void(unsigned)>& task) {
  {
    const std::lock_guard lock(mutex_);
    task_ = &task;
    running_ = members() - 1;
    ++generation_;
  }
  wake_.notify_all();
  call(0, task);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
  task_ = nullptr;
  if (error_ != nullptr) {
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
}

void ThreadTeam::work(unsigned member) {
  std::uint64_t seen = 0;
  for (;;) {
    const std::function<void(unsigned)>* task = nullptr;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
      if (stopping_) {
        return;
      }
      seen = generation_;
      task = task_;
    }
    call(member, *task);
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) {
      done_.notify_one();
    }
  }
}

void ThreadTeam::call(unsigned member, const std::function<void(unsigned)>& task) noexcept {
  try {
    task(member);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (error_ == nullptr) {
      error_ = std::current_exception();
    }
  }
}

}  // namespace stratoperf
