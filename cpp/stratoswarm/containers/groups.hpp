// Control groups of the helper's containers: version 1 and 2, found once, one folder each with a
// name that says whose they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stratoswarm/containers/fault.hpp"

namespace stratoperf::containers {

struct GroupLimits {
  std::uint64_t memory_bytes = 0;
  std::uint64_t cpu_us = 0;  // in each 100 ms
  std::uint64_t processes = 0;

  bool operator==(const GroupLimits&) const = default;
};

// The group of one container: a folder with this number in each hierarchy.
struct Group {
  static constexpr int kMaxHierarchies = 3;

  std::uint64_t number = 0;
  int count = 0;                              // open descriptors
  int files[kMaxHierarchies] = {-1, -1, -1};  // version 1: `tasks`; version 2: the folder

  bool exists() const { return number != 0; }
};

class Groups {
 public:
  // Finds the hierarchies, removes what dead helpers left, and makes the folders for this one.
  bool open(Fault& fault);
  bool is_open() const { return !bases_.empty(); }
  bool is_version2() const { return version2_; }

  bool make(const GroupLimits& limits, Group& group, Fault& fault);
  // Sets what could not be set before the container has entered.
  bool settle(const GroupLimits& limits, const Group& group, Fault& fault);
  // Closes the descriptors, once the container has entered.
  static void close(Group& group);
  // Kills what is still in the group and removes it; whether it is gone.
  bool remove(Group& group);
  // The same for all groups and the folders themselves: for the end of the helper.
  bool clear();

 private:
  struct Base {
    std::string controller;
    std::string parent;  // the folder of this process, or the one above
    std::string path;    // ours
  };

  bool find(Fault& fault);
  bool set(int folder, const char* file, std::uint64_t value, Fault& fault);
  bool configure(const Base& base, int folder, const GroupLimits& limits, Fault& fault);

  std::vector<Base> bases_;
  bool version2_ = false;
  std::uint64_t made_ = 0;
};

// When a process started, in clock ticks since boot, or 0 where there is none.
std::uint64_t start_time(long pid);

}  // namespace stratoperf::containers
