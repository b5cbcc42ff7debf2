#include "core/thread_team.hpp"

#include <stdexcept>
#include <utility>

namespace stratoperf {

ThreadTeam::ThreadTeam(unsigned members) : members_(members), shared_(std::make_unique<Shared>()) {
  if (members == 0) {
    throw std::invalid_argument("threads: must be at least 1, got 0");
  }
  try {
    shared_->threads.reserve(members - 1);
    for (unsigned member = 1; member < members; ++member) {
      shared_->threads.emplace_back([&shared = *shared_, member] { work(shared, member); });
    }
  } catch (...) {
    stop_all();  // those that did start would otherwise end the process
    throw;
  }
}

ThreadTeam::~ThreadTeam() {
  if (process_.is_this()) {
    stop_all();
  } else {
    // There is nobody to join, and whoever destroys a condition variable waits for its waiters.
    static_cast<void>(shared_.release());
  }
}

void ThreadTeam::stop_all() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->wake.notify_all();
  for (std::thread& thread : shared_->threads) {
    thread.join();
  }
  shared_->threads.clear();
}

void ThreadTeam::run(const std::function<void(unsigned)>& task) {
  if (members_ > 1) {
    process_.require("threads of this object were");
  }
  Shared& shared = *shared_;
  {
    const std::lock_guard lock(shared.mutex);
    shared.task = &task;
    shared.running = members() - 1;
    ++shared.generation;
  }
  shared.wake.notify_all();
  call(shared, 0, task);
  std::unique_lock lock(shared.mutex);
  shared.done.wait(lock, [&shared] { return shared.running == 0; });
  shared.task = nullptr;
  if (shared.error != nullptr) {
    std::rethrow_exception(std::exchange(shared.error, nullptr));
  }
}

void ThreadTeam::work(Shared& shared, unsigned member) {
  std::uint64_t seen = 0;
  for (;;) {
    const std::function<void(unsigned)>* task = nullptr;
    {
      std::unique_lock lock(shared.mutex);
      shared.wake.wait(lock, [&] { return shared.stopping || shared.generation != seen; });
      if (shared.stopping) {
        return;
      }
      seen = shared.generation;
      task = shared.task;
    }
    call(shared, member, *task);
    const std::lock_guard lock(shared.mutex);
    if (--shared.running == 0) {
      shared.done.notify_one();
    }
  }
}

void ThreadTeam::call(Shared& shared, unsigned member,
                      const std::function<void(unsigned)>& task) noexcept {
  try {
    task(member);
  } catch (...) {
    const std::lock_guard lock(shared.mutex);
    if (shared.error == nullptr) {
      shared.error = std::current_exception();
    }
  }
}

}  // namespace stratoperf
