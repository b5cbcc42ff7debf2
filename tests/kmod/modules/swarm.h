/* SPDX-License-Identifier: GPL-2.0 */
/* What the three test modules have in common: the binary interface, and the
 * folder /proc/swarm. */
#ifndef SWARM_TEST_H
#define SWARM_TEST_H

#include <linux/build_bug.h>
#include <linux/ioctl.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/types.h>
#include <linux/uaccess.h>

#define SWARM_NAME 64
#define SWARM_PATH 256
#define SWARM_BINDS 16

#define SWARM_READ 1u
#define SWARM_WRITE 2u
#define SWARM_MOUNT_FLAGS 0x0fu
#define SWARM_NAMESPACES 0x7fu

struct gpu_alloc {
	__u64 agent_id, size;
	__u32 device_id, flags;
	__u64 alloc_id;
};

struct gpu_stats {
	__u64 total_memory, used_memory, allocation_count, dma_checks,
	    quota_violations;
};

struct gpu_quota {
	__u64 agent_id, memory_limit;
	__u32 device_mask, padding;
};

struct dma_check {
	__u64 agent_id, dma_addr, size;
	__u32 access_type, allowed;
};

struct dma_grant {
	__u64 agent_id, dma_addr, size;
	__u32 permissions, padding;
};

struct agent_config {
	char name[SWARM_NAME];
	__u64 memory_limit;
	__u32 cpu_quota, padding_after_quota;
	__u64 gpu_memory_limit;
	__u32 namespace_flags, padding_after_flags;
	__u64 agent_id;
};

struct agent_query {
	__u64 agent_id;
	__s32 pid;
	__u32 padding;
	__u64 memory_usage, gpu_memory_usage;
	__u32 violation_count, state;
};

struct namespace_config {
	__u64 agent_id;
	__u32 namespace_flags, padding;
};

struct tier_stats {
	__u32 tier, padding;
	__u64 total_pages, used_pages, hot_pages, cold_pages, migrations_in,
	    migrations_out;
};

struct memory_pressure {
	__u32 tier, pressure_level;
	__u64 free_pages, reclaimable_pages;
};

struct migration_request {
	__u64 agent_id;
	__u32 from_tier, to_tier;
	__u64 page_count;
};

struct bind_mount {
	__u64 agent_id;
	char source[SWARM_PATH], target[SWARM_PATH];
	__u32 flags, padding;
};

struct overlayfs {
	__u64 agent_id;
	char lower[SWARM_PATH], upper[SWARM_PATH], work[SWARM_PATH],
	    merged[SWARM_PATH];
};

struct mount_entry {
	char source[SWARM_PATH], target[SWARM_PATH];
	__u32 flags;
};

struct mount_setup {
	__u64 agent_id;
	char lower[SWARM_PATH], upper[SWARM_PATH], work[SWARM_PATH],
	    merged[SWARM_PATH];
	struct mount_entry bind_mounts[SWARM_BINDS];
	__u32 num_bind_mounts;
	char old_root[SWARM_PATH];
	__u32 use_overlayfs, private_mounts, padding;
};

static_assert(sizeof(struct agent_config) == 104);
static_assert(sizeof(struct agent_query) == 40);
static_assert(sizeof(struct bind_mount) == 528);
static_assert(sizeof(struct overlayfs) == 1032);
static_assert(sizeof(struct mount_setup) == 9560);
static_assert(sizeof(struct tier_stats) == 56);
static_assert(sizeof(struct dma_check) == 32);

#define GPU_ALLOC _IOWR('S', 1, struct gpu_alloc)
#define GPU_FREE _IOW('S', 2, __u64)
#define GPU_QUERY _IOR('S', 3, struct gpu_stats)
#define GPU_SET_QUOTA _IOW('S', 4, struct gpu_quota)
#define DMA_CHECK_PERM _IOWR('S', 5, struct dma_check)
#define DMA_GRANT_PERM _IOW('S', 6, struct dma_grant)
#define AGENT_CREATE _IOWR('S', 10, struct agent_config)
#define AGENT_DESTROY _IOW('S', 11, __u64)
#define AGENT_QUERY _IOWR('S', 12, struct agent_query)
#define AGENT_SET_NS _IOW('S', 13, struct namespace_config)
#define MOUNT_SETUP _IOW('S', 14, struct mount_setup)
#define MOUNT_TEARDOWN _IOW('S', 15, __u64)
#define MOUNT_ADD_BIND _IOW('S', 16, struct bind_mount)
#define MOUNT_OVERLAYFS _IOW('S', 17, struct overlayfs)
#define TIER_STATS _IOR('S', 20, struct tier_stats)
#define TIER_PRESSURE _IOR('S', 21, struct memory_pressure)
#define TIER_MIGRATE _IOW('S', 22, struct migration_request)

/* /proc/swarm, which swarm_proc owns. */
extern struct proc_dir_entry *swarm_proc_root;

/* The title and the rule that each file of /proc/swarm begins with. */
static inline void swarm_title(struct seq_file *file, const char *title)
{
	seq_printf(file, "%s\n====================\n", title);
}

#endif
