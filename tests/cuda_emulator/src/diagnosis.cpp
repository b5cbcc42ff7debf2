#include "diagnosis.hpp"

#include <cstring>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

namespace cuda_emulator {
namespace {

std::string whereabouts(const Thread& thread) {
  switch (thread.state) {
    case Thread::State::barrier:
      return "at the barrier " + place(thread.where);
    case Thread::State::collective:
      return "at the collective " + place(thread.where);
    case Thread::State::polling:
      return "polling";
    case Thread::State::ready:
      return "about to run";
    case Thread::State::finished:
      break;
  }
  return "ended";
}

}  // namespace

bool same_place(const Thread& a, const Thread& b) {
  return a.state == b.state && (a.state != Thread::State::collective || a.kind == b.kind) &&
         a.where.line() == b.where.line() && a.where.column() == b.where.column() &&
         std::strcmp(a.where.file_name(), b.where.file_name()) == 0;
}

std::string place(const std::source_location& where) {
  const std::string_view path = where.file_name();
  std::ostringstream text;
  text << path.substr(path.rfind('/') + 1) << ":" << where.line() << ":" << where.column() << " in "
       << where.function_name();
  return text.str();
}

std::string whereabouts(Threads threads) {
  std::map<std::string, std::pair<unsigned, unsigned>> places;  // the first thread and how many
  for (const auto& thread : threads) {
    ++places.try_emplace(whereabouts(*thread), thread->number, 0).first->second.second;
  }
  std::ostringstream text;
  const char* separator = "";
  for (const auto& [name, found] : places) {
    text << separator << found.second << " threads " << name << " (the first is " << found.first
         << ")";
    separator = ", ";
  }
  return text.str();
}

std::string why_unfinished(const Thread& waiting, Threads threads) {
  const unsigned first = waiting.warp() * kWarpSize;
  std::string different;
  for (unsigned lane = 0; lane < kWarpSize; ++lane) {
    if ((waiting.mask >> lane & 1) == 0) {
      continue;
    }
    const std::string name = "lane " + std::to_string(lane) + " of its mask";
    if (first + lane >= threads.size()) {
      return name + " is one which the block does not have";
    }
    const Thread& other = *threads[first + lane];
    if (other.state == Thread::State::finished) {
      return name + " has ended";
    }
    if (different.empty() && !same_place(waiting, other)) {
      different = name + " is elsewhere";
    } else if (different.empty() && other.mask != waiting.mask) {
      different = "its lanes have different masks";
    }
  }
  return different;
}

}  // namespace cuda_emulator
