#include "stratoswarm/containers/spawn_operation.hpp"

#include <fcntl.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/failure.hpp"

namespace stratoperf::containers {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000U;

void destroy_quietly(Client& client, const std::vector<Held>& held) {
  for (const Held& container : held) {
    try {
      client.destroy(container.id);
    } catch (const Failure&) {
      return;  // the helper is gone, and its containers with it
    }
  }
}

std::uint64_t clock_of_client() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

SpawnOperation::SpawnOperation(std::shared_ptr<Client> client, SpawnPlan plan,
                               std::shared_ptr<SpawnLog> log)
    : client_(std::move(client)), plan_(std::move(plan)), log_(std::move(log)) {
  if ((plan_.settings.flags & kImage) != 0) {
    // The operation may outlive the object that owns the image.
    image_ = Descriptor(fcntl(plan_.settings.image, F_DUPFD_CLOEXEC, 0));
    plan_.settings.image = image_.number();
  }
  plan_.settings.flags |= plan_.way == Way::pooled   ? kPooled
                          : plan_.way == Way::parked ? kParked
                                                     : 0U;
}

SpawnOperation::~SpawnOperation() {
  log_->last_control = -1;
  destroy_quietly(*client_, held_);
}

void SpawnOperation::finish() {
  if (ran_) {
    ran_ = false;
    log_->first_instruction.push_back(static_cast<double>(last_.clock_ns - last_.called_ns));
    if (plan_.way != Way::parked) {
      Reply reply = client_->collect();
      complete_stages(reply, last_);
      for (std::size_t stage = 0; stage < kStages; ++stage) {
        log_->stages[stage].push_back(static_cast<double>(reply.stages_ns[stage]));
      }
    }
  }
  log_->last_control = -1;
  for (const Held& container : held_) {
    client_->destroy(container.id);
  }
  held_.clear();
}

void SpawnOperation::wait_for_turn() {
  if (plan_.pace_ns == 0) {
    return;
  }
  const std::uint64_t now = clock_of_client();
  next_turn_ns_ = std::max(next_turn_ns_, now);
  const timespec turn = {static_cast<time_t>(next_turn_ns_ / kSecond),
                         static_cast<long>(next_turn_ns_ % kSecond)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &turn, nullptr) == EINTR &&
         !stop_requested()) {
  }
  next_turn_ns_ += plan_.pace_ns;
}

void SpawnOperation::prepare(std::uint64_t n) {
  finish();
  if (plan_.way == Way::pooled) {
    client_->prepare(static_cast<std::uint32_t>(std::min<std::uint64_t>(n, 64)), plan_.settings);
  } else if (plan_.way == Way::parked) {
    Reply reply;
    for (std::uint64_t i = 0; i < n; ++i) {
      held_.push_back(client_->spawn(plan_.settings, reply));
    }
  }
  wait_for_turn();
}

void SpawnOperation::run(std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) {
    if (plan_.way == Way::parked) {
      last_ = execute_again(held_[i].control.number(), client_->timeout_ms());
      log_->last_control = held_[i].control.number();
    } else {
      held_.push_back(client_->start(plan_.settings));
      last_ = held_.back().ready;
      log_->last_control = held_.back().control.number();
      if (last_.checksum != plan_.expected_checksum) {
        throw Failure("the agent loaded another image than it was given", Failure::Kind::wrong);
      }
    }
    if (last_.clock_ns < last_.called_ns) {
      throw Failure("the container's first instruction came before the call", Failure::Kind::wrong);
    }
    ran_ = true;
    ++log_->count;
  }
}

DestroyOperation::DestroyOperation(std::shared_ptr<Client> client, SpawnPlan plan,
                                   std::shared_ptr<SpawnLog> log)
    : client_(std::move(client)), plan_(std::move(plan)), log_(std::move(log)) {}

DestroyOperation::~DestroyOperation() { destroy_quietly(*client_, held_); }

void DestroyOperation::prepare(std::uint64_t n) {
  Reply reply;
  while (held_.size() < n) {
    held_.push_back(client_->spawn(plan_.settings, reply));
  }
}

void DestroyOperation::run(std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) {
    const Held container = std::move(held_.back());
    held_.pop_back();
    const Reply reply = client_->destroy(container.id);
    if (reply.exited != 1) {
      throw Failure("the container did not exit", Failure::Kind::wrong);
    }
    ++log_->count;
  }
}

}  // namespace stratoperf::containers
