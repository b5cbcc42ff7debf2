#include "stratoswarm/containers/groups.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "stratoswarm/ending.hpp"

namespace stratoperf::containers {
namespace {

constexpr const char* kPrefix = "stratoperf-";
constexpr std::uint64_t kPeriodUs = 100'000;
constexpr int kRemovalTries = 2000;  // of 1 ms: a process that was killed leaves its group soon
constexpr const char* kControllers[] = {"memory", "cpu", "pids"};

std::vector<std::string> lines_of(const char* path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

bool lists(const std::string& list, const std::string& name, char separator) {
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, separator);) {
    if (part == name) {
      return true;
    }
  }
  return false;
}

std::string pid_namespace() {
  char target[64] = {};
  const ssize_t size = readlink("/proc/self/ns/pid", target, sizeof target - 1);
  std::string digits;
  for (ssize_t i = 0; i < size; ++i) {
    if (target[i] >= '0' && target[i] <= '9') {
      digits += target[i];
    }
  }
  return digits;
}

// The name of a helper's folder: the process, when it started, and which processes it can see.
std::string folder_name() {
  const long pid = getpid();
  return kPrefix + pid_namespace() + "-" + std::to_string(pid) + "-" +
         std::to_string(start_time(pid));
}

// Whether a name is one of ours and its helper, which this process could see, is dead.
bool is_dead(const std::string& name) {
  const std::string prefix = kPrefix + pid_namespace() + "-";
  if (!name.starts_with(prefix)) {
    return false;
  }
  long pid = 0;
  std::uint64_t started = 0;
  const char* const end = name.data() + name.size();
  const auto [dash, pid_error] = std::from_chars(name.data() + prefix.size(), end, pid);
  if (pid_error != std::errc() || dash == end || *dash != '-' || pid <= 0) {
    return false;
  }
  const auto [last, start_error] = std::from_chars(dash + 1, end, started);
  if (start_error != std::errc() || last != end) {
    return false;
  }
  return start_time(pid) != started;
}

std::vector<std::string> folders_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) {
    return names;
  }
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
      names.emplace_back(entry->d_name);
    }
  }
  closedir(folder);
  return names;
}

void kill_members(const std::string& folder) {
  // In any other folder are processes of others.
  if (folder.find(std::string("/") + kPrefix) == std::string::npos) {
    return;
  }
  std::ifstream members(folder + "/cgroup.procs");
  for (long pid = 0; members >> pid;) {
    if (pid != getpid()) {
      end_process(static_cast<pid_t>(pid));
    }
  }
}

bool remove_group(const std::string& folder) {
  for (int attempt = 0; attempt < kRemovalTries; ++attempt) {
    if (rmdir(folder.c_str()) == 0 || errno == ENOENT) {
      return true;
    }
    if (errno != EBUSY) {
      return false;
    }
    kill_members(folder);
    usleep(1000);
  }
  return false;
}

// A helper's folder with the groups of its containers.
bool remove_base(const std::string& path) {
  bool all = true;
  for (const std::string& name : folders_in(path)) {
    std::string group = path;
    group.append("/").append(name);
    all = remove_group(group) && all;
  }
  return remove_group(path) && all;
}

}  // namespace

std::uint64_t start_time(long pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) {
    return 0;
  }
  std::istringstream fields(text.substr(end + 1));
  std::string field;
  for (int number = 3; number <= 22 && (fields >> field); ++number) {
  }
  return std::strtoull(field.c_str(), nullptr, 10);
}

bool Groups::find(Fault& fault) {
  bases_.clear();
  const std::vector<std::string> memberships = lines_of("/proc/self/cgroup");
  const std::vector<std::string> mounts = lines_of("/proc/self/mountinfo");
  // The folder of this process in the hierarchy that a list of controllers names.
  const auto own_path = [&](const std::string& controller) -> std::string {
    for (const std::string& line : memberships) {
      const std::size_t first = line.find(':');
      const std::size_t second = line.find(':', first + 1);
      const std::string list = line.substr(first + 1, second - first - 1);
      if (controller.empty() ? list.empty() : lists(list, controller, ',')) {
        return line.substr(second + 1);
      }
    }
    return {};
  };
  const auto folder_of = [&](const std::string& type, const std::string& controller) {
    for (const std::string& line : mounts) {
      const std::size_t dash = line.find(" - ");
      std::istringstream left(line.substr(0, dash));
      std::istringstream right(line.substr(std::min(dash, line.size() - 3) + 3));
      std::string skipped, root, point, found_type, source, options;
      left >> skipped >> skipped >> skipped >> root >> point;
      right >> found_type >> source >> options;
      if (found_type != type || (!controller.empty() && !lists(options, controller, ','))) {
        continue;
      }
      std::string path = own_path(controller);
      if (root != "/" && path.starts_with(root)) {
        path = path.substr(root.size());
      }
      const std::string folder = point + (path == "/" ? "" : path);
      return access(folder.c_str(), F_OK) == 0 ? folder : point;
    }
    return std::string();
  };
  for (const char* controller : kControllers) {
    const std::string folder = folder_of("cgroup", controller);
    if (!folder.empty()) {
      bases_.push_back({controller, folder, {}});
    }
  }
  if (bases_.size() == std::size(kControllers)) {
    version2_ = false;
    return true;
  }
  bases_.clear();
  std::string folder = folder_of("cgroup2", "");
  if (folder.empty()) {
    return fail(fault, ENOENT, "control groups: no hierarchy is mounted with memory, cpu and pids");
  }
  // A folder with processes cannot hand its controllers to folders below it; the one above can.
  std::string list;
  const auto hands_down = [&](const std::string& path) {
    const std::vector<std::string> lines = lines_of((path + "/cgroup.subtree_control").c_str());
    list = lines.empty() ? "" : lines.front();
    return std::ranges::all_of(kControllers,
                               [&](const char* name) { return lists(list, name, ' '); });
  };
  if (!hands_down(folder)) {
    folder = folder.substr(0, folder.rfind('/'));
    if (!hands_down(folder)) {
      return fail(fault, ENOENT, "control groups: memory, cpu and pids are not delegated");
    }
  }
  bases_.push_back({"", folder, {}});
  version2_ = true;
  return true;
}

bool Groups::open(Fault& fault) {
  if (is_open()) {
    return true;
  }
  if (!find(fault)) {
    return false;
  }
  const std::string name = folder_name();
  for (Base& base : bases_) {
    for (const std::string& other : folders_in(base.parent)) {
      if (is_dead(other)) {
        remove_base(base.parent + "/" + other);
      }
    }
    base.path = base.parent + "/" + name;
    if (mkdir(base.path.c_str(), 0755) != 0) {
      const int error = errno;
      const std::string path = base.path;
      base.path.clear();
      clear();
      return fail(fault, error, "mkdir", path.c_str());
    }
    if (version2_) {
      const int file =
          ::open((base.path + "/cgroup.subtree_control").c_str(), O_WRONLY | O_CLOEXEC);
      constexpr char kEnable[] = "+memory +cpu +pids";
      const bool done = write(file, kEnable, sizeof kEnable - 1) > 0;
      const int error = errno;
      ::close(file);
      if (!done) {
        clear();
        return fail(fault, error, "cgroup.subtree_control", name.c_str());
      }
    }
  }
  return true;
}

bool Groups::set(int folder, const char* file, std::uint64_t value, Fault& fault) {
  const int target = openat(folder, file, O_WRONLY | O_CLOEXEC);
  if (target < 0) {
    return fail(fault, errno, file);
  }
  char text[64];
  const bool is_quota = version2_ && file[0] == 'c';
  const int size =
      is_quota
          ? std::snprintf(text, sizeof text, "%llu %llu", static_cast<unsigned long long>(value),
                          static_cast<unsigned long long>(kPeriodUs))
          : std::snprintf(text, sizeof text, "%llu", static_cast<unsigned long long>(value));
  const bool done = write(target, text, static_cast<std::size_t>(size)) == size;
  const int error = errno;
  ::close(target);
  return done || fail(fault, error, file);
}

bool Groups::configure(const Base& base, int folder, const GroupLimits& limits, Fault& fault) {
  const auto has = [&](const char* name) { return version2_ || base.controller == name; };
  if (has("memory") && limits.memory_bytes != 0 &&
      !set(folder, version2_ ? "memory.max" : "memory.limit_in_bytes", limits.memory_bytes,
           fault)) {
    return false;
  }
  if (has("cpu") && limits.cpu_us != 0 &&
      !set(folder, version2_ ? "cpu.max" : "cpu.cfs_quota_us", limits.cpu_us, fault)) {
    return false;
  }
  // In version 2 the process that joins the namespaces is in the group until the container's exec.
  const std::uint64_t joining = version2_ ? 1 : 0;
  return !has("pids") || limits.processes == 0 ||
         set(folder, "pids.max", limits.processes + joining, fault);
}

bool Groups::settle(const GroupLimits& limits, const Group& group, Fault& fault) {
  return !version2_ || !group.exists() || limits.processes == 0 ||
         set(group.files[0], "pids.max", limits.processes, fault);
}

bool Groups::make(const GroupLimits& limits, Group& group, Fault& fault) {
  group = {};
  group.number = ++made_;
  const std::string name = std::to_string(group.number);
  for (const Base& base : bases_) {
    const std::string path = base.path + "/" + name;
    if (mkdir(path.c_str(), 0755) != 0) {
      fail(fault, errno, "mkdir", path.c_str());
      break;
    }
    const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
      fail(fault, errno, "open", path.c_str());
      break;
    }
    if (!configure(base, folder, limits, fault)) {
      ::close(folder);
      break;
    }
    if (version2_) {
      group.files[group.count++] = folder;
      continue;
    }
    const int tasks = openat(folder, "tasks", O_WRONLY | O_CLOEXEC);
    const int error = errno;
    ::close(folder);
    if (tasks < 0) {
      fail(fault, error, "tasks of", path.c_str());
      break;
    }
    group.files[group.count++] = tasks;
  }
  if (fault.occurred()) {
    remove(group);
    return false;
  }
  return true;
}

void Groups::close(Group& group) {
  for (int& file : group.files) {
    if (file >= 0) {
      ::close(file);
    }
    file = -1;
  }
  group.count = 0;
}

bool Groups::remove(Group& group) {
  if (!group.exists()) {
    return true;
  }
  close(group);
  bool all = true;
  for (const Base& base : bases_) {
    all = remove_group(base.path + "/" + std::to_string(group.number)) && all;
  }
  group.number = 0;
  return all;
}

bool Groups::clear() {
  bool all = true;
  for (const Base& base : bases_) {
    if (!base.path.empty()) {
      all = remove_base(base.path) && all;
    }
  }
  bases_.clear();
  return all;
}

}  // namespace stratoperf::containers
