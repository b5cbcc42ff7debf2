// The binary interface of the kernel modules: structures and command words.
//
// No structure has padding that is not a named member: what a caller does not set is zero in all
// bytes that the kernel copies.
#pragma once

#include <sys/ioctl.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace stratoperf::kernel {

constexpr std::size_t kNameBytes = 64;   // the terminating NUL is one of them
constexpr std::size_t kPathBytes = 256;  // likewise
constexpr std::size_t kMostBindMounts = 16;

struct GpuAlloc {
  std::uint64_t agent_id;
  std::uint64_t size;
  std::uint32_t device_id;
  std::uint32_t flags;
  std::uint64_t alloc_id;  // out
};

struct GpuStats {
  std::uint64_t total_memory;
  std::uint64_t used_memory;
  std::uint64_t allocation_count;
  std::uint64_t dma_checks;
  std::uint64_t quota_violations;
};

struct GpuQuota {
  std::uint64_t agent_id;
  std::uint64_t memory_limit;
  std::uint32_t device_mask;
  std::uint32_t padding;
};

struct DmaCheck {
  std::uint64_t agent_id;
  std::uint64_t dma_addr;
  std::uint64_t size;
  std::uint32_t access_type;
  std::uint32_t allowed;  // out
};

struct DmaGrant {
  std::uint64_t agent_id;
  std::uint64_t dma_addr;
  std::uint64_t size;
  std::uint32_t permissions;
  std::uint32_t padding;
};

struct AgentConfig {
  char name[kNameBytes];
  std::uint64_t memory_limit;
  std::uint32_t cpu_quota;
  std::uint32_t padding_after_quota;
  std::uint64_t gpu_memory_limit;
  std::uint32_t namespace_flags;
  std::uint32_t padding_after_flags;
  std::uint64_t agent_id;  // out
};

struct AgentQuery {
  std::uint64_t agent_id;
  std::int32_t pid;
  std::uint32_t padding;
  std::uint64_t memory_usage;
  std::uint64_t gpu_memory_usage;
  std::uint32_t violation_count;
  std::uint32_t state;
};

struct NamespaceConfig {
  std::uint64_t agent_id;
  std::uint32_t namespace_flags;
  std::uint32_t padding;
};

struct TierStats {
  std::uint32_t tier;
  std::uint32_t padding;
  std::uint64_t total_pages;
  std::uint64_t used_pages;
  std::uint64_t hot_pages;
  std::uint64_t cold_pages;
  std::uint64_t migrations_in;
  std::uint64_t migrations_out;
};

struct MemoryPressure {
  std::uint32_t tier;
  std::uint32_t pressure_level;  // 0 to 100
  std::uint64_t free_pages;
  std::uint64_t reclaimable_pages;
};

struct MigrationRequest {
  std::uint64_t agent_id;
  std::uint32_t from_tier;
  std::uint32_t to_tier;
  std::uint64_t page_count;
};

struct BindMount {
  std::uint64_t agent_id;
  char source[kPathBytes];
  char target[kPathBytes];
  std::uint32_t flags;
  std::uint32_t padding;
};

struct Overlayfs {
  std::uint64_t agent_id;
  char lower[kPathBytes];
  char upper[kPathBytes];
  char work[kPathBytes];
  char merged[kPathBytes];
};

struct MountEntry {
  char source[kPathBytes];
  char target[kPathBytes];
  std::uint32_t flags;
};

struct Mount {
  std::uint64_t agent_id;
  char lower[kPathBytes];
  char upper[kPathBytes];
  char work[kPathBytes];
  char merged[kPathBytes];
  MountEntry bind_mounts[kMostBindMounts];
  std::uint32_t num_bind_mounts;
  char old_root[kPathBytes];
  std::uint32_t use_overlayfs;
  std::uint32_t private_mounts;
  std::uint32_t padding;
};

// Padding that is not a member would make two values with equal members differ.
template <typename... Structure>
constexpr bool kAreWithoutHoles = (std::has_unique_object_representations_v<Structure> && ...);
static_assert(kAreWithoutHoles<GpuAlloc, GpuStats, GpuQuota, DmaCheck, DmaGrant, AgentConfig,
                               AgentQuery, NamespaceConfig, TierStats, MemoryPressure,
                               MigrationRequest, BindMount, Overlayfs, MountEntry, Mount>);

static_assert(sizeof(GpuAlloc) == 32);
static_assert(offsetof(GpuAlloc, agent_id) == 0 && offsetof(GpuAlloc, size) == 8);
static_assert(offsetof(GpuAlloc, device_id) == 16 && offsetof(GpuAlloc, flags) == 20);
static_assert(offsetof(GpuAlloc, alloc_id) == 24);

static_assert(sizeof(GpuStats) == 40);
static_assert(offsetof(GpuStats, total_memory) == 0 && offsetof(GpuStats, used_memory) == 8);
static_assert(offsetof(GpuStats, allocation_count) == 16 && offsetof(GpuStats, dma_checks) == 24);
static_assert(offsetof(GpuStats, quota_violations) == 32);

static_assert(sizeof(GpuQuota) == 24);
static_assert(offsetof(GpuQuota, agent_id) == 0 && offsetof(GpuQuota, memory_limit) == 8);
static_assert(offsetof(GpuQuota, device_mask) == 16 && offsetof(GpuQuota, padding) == 20);

static_assert(sizeof(DmaCheck) == 32);
static_assert(offsetof(DmaCheck, agent_id) == 0 && offsetof(DmaCheck, dma_addr) == 8);
static_assert(offsetof(DmaCheck, size) == 16 && offsetof(DmaCheck, access_type) == 24);
static_assert(offsetof(DmaCheck, allowed) == 28);

static_assert(sizeof(DmaGrant) == 32);
static_assert(offsetof(DmaGrant, agent_id) == 0 && offsetof(DmaGrant, dma_addr) == 8);
static_assert(offsetof(DmaGrant, size) == 16 && offsetof(DmaGrant, permissions) == 24);
static_assert(offsetof(DmaGrant, padding) == 28);

static_assert(sizeof(AgentConfig) == 104);
static_assert(offsetof(AgentConfig, name) == 0 && offsetof(AgentConfig, memory_limit) == 64);
static_assert(offsetof(AgentConfig, cpu_quota) == 72);
static_assert(offsetof(AgentConfig, gpu_memory_limit) == 80);
static_assert(offsetof(AgentConfig, namespace_flags) == 88);
static_assert(offsetof(AgentConfig, agent_id) == 96);

static_assert(sizeof(AgentQuery) == 40);
static_assert(offsetof(AgentQuery, agent_id) == 0 && offsetof(AgentQuery, pid) == 8);
static_assert(offsetof(AgentQuery, memory_usage) == 16);
static_assert(offsetof(AgentQuery, gpu_memory_usage) == 24);
static_assert(offsetof(AgentQuery, violation_count) == 32 && offsetof(AgentQuery, state) == 36);

static_assert(sizeof(NamespaceConfig) == 16);
static_assert(offsetof(NamespaceConfig, agent_id) == 0);
static_assert(offsetof(NamespaceConfig, namespace_flags) == 8);

static_assert(sizeof(TierStats) == 56);
static_assert(offsetof(TierStats, tier) == 0 && offsetof(TierStats, total_pages) == 8);
static_assert(offsetof(TierStats, used_pages) == 16 && offsetof(TierStats, hot_pages) == 24);
static_assert(offsetof(TierStats, cold_pages) == 32 && offsetof(TierStats, migrations_in) == 40);
static_assert(offsetof(TierStats, migrations_out) == 48);

static_assert(sizeof(MemoryPressure) == 24);
static_assert(offsetof(MemoryPressure, tier) == 0);
static_assert(offsetof(MemoryPressure, pressure_level) == 4);
static_assert(offsetof(MemoryPressure, free_pages) == 8);
static_assert(offsetof(MemoryPressure, reclaimable_pages) == 16);

static_assert(sizeof(MigrationRequest) == 24);
static_assert(offsetof(MigrationRequest, agent_id) == 0);
static_assert(offsetof(MigrationRequest, from_tier) == 8);
static_assert(offsetof(MigrationRequest, to_tier) == 12);
static_assert(offsetof(MigrationRequest, page_count) == 16);

static_assert(sizeof(BindMount) == 528);
static_assert(offsetof(BindMount, agent_id) == 0 && offsetof(BindMount, source) == 8);
static_assert(offsetof(BindMount, target) == 264 && offsetof(BindMount, flags) == 520);

static_assert(sizeof(Overlayfs) == 1032);
static_assert(offsetof(Overlayfs, agent_id) == 0 && offsetof(Overlayfs, lower) == 8);
static_assert(offsetof(Overlayfs, upper) == 264 && offsetof(Overlayfs, work) == 520);
static_assert(offsetof(Overlayfs, merged) == 776);

static_assert(sizeof(MountEntry) == 516);
static_assert(offsetof(MountEntry, source) == 0 && offsetof(MountEntry, target) == 256);
static_assert(offsetof(MountEntry, flags) == 512);

static_assert(sizeof(Mount) == 9560);
static_assert(offsetof(Mount, agent_id) == 0 && offsetof(Mount, lower) == 8);
static_assert(offsetof(Mount, upper) == 264 && offsetof(Mount, work) == 520);
static_assert(offsetof(Mount, merged) == 776 && offsetof(Mount, bind_mounts) == 1032);
static_assert(offsetof(Mount, num_bind_mounts) == 9288 && offsetof(Mount, old_root) == 9292);
static_assert(offsetof(Mount, use_overlayfs) == 9548 && offsetof(Mount, private_mounts) == 9552);

// Clang-tidy: the macros of the kernel are C.
// NOLINTBEGIN
enum class Command : std::uint32_t {
  gpu_alloc = _IOWR('S', 1, GpuAlloc),
  gpu_free = _IOW('S', 2, std::uint64_t),
  gpu_query = _IOR('S', 3, GpuStats),
  gpu_set_quota = _IOW('S', 4, GpuQuota),
  dma_check_perm = _IOWR('S', 5, DmaCheck),
  dma_grant_perm = _IOW('S', 6, DmaGrant),
  agent_create = _IOWR('S', 10, AgentConfig),
  agent_destroy = _IOW('S', 11, std::uint64_t),
  agent_query = _IOWR('S', 12, AgentQuery),
  agent_set_ns = _IOW('S', 13, NamespaceConfig),
  mount_setup = _IOW('S', 14, Mount),
  mount_teardown = _IOW('S', 15, std::uint64_t),
  mount_add_bind = _IOW('S', 16, BindMount),
  mount_overlayfs = _IOW('S', 17, Overlayfs),
  tier_stats = _IOR('S', 20, TierStats),
  tier_pressure = _IOR('S', 21, MemoryPressure),
  tier_migrate = _IOW('S', 22, MigrationRequest),
};
// NOLINTEND

#if defined(__x86_64__) || defined(__aarch64__)
static_assert(static_cast<std::uint32_t>(Command::gpu_alloc) == 0xC0205301);
static_assert(static_cast<std::uint32_t>(Command::agent_create) == 0xC068530A);
static_assert(static_cast<std::uint32_t>(Command::mount_setup) == 0x6558530E);
static_assert(static_cast<std::uint32_t>(Command::tier_stats) == 0x80385314);
#endif

// The name of a command, as errors show it: "AGENT_CREATE".
const char* name_of(Command command);

}  // namespace stratoperf::kernel
