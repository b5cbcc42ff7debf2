// SPDX-License-Identifier: GPL-2.0
/* Allocations, quotas and DMA permissions of a GPU that is not there. For
 * tests. */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "swarm.h"

static bool debug;
module_param(debug, bool, 0444);
static bool gpudirect_enable;
module_param(gpudirect_enable, bool, 0444);
static bool free_by_pointer;
module_param(free_by_pointer, bool, 0444);
MODULE_PARM_DESC(free_by_pointer,
		 "GPU_FREE takes a pointer, as its command word says");

#define TOTAL (8ull << 30)
#define DEVICES 1u
#define GRANTS 64

struct grant {
	u64 start, end;
	u32 permissions;
};

struct quota {
	u64 limit, used;
	u32 device_mask;
	u32 grants;
	struct grant grant[GRANTS];
};

struct allocation {
	u64 agent_id, size;
};

static DEFINE_XARRAY(quotas);
static DEFINE_XARRAY(allocations);
static DEFINE_MUTEX(lock);
static u64 next_id = 1;
static struct gpu_stats stats = {.total_memory = TOTAL};

static long allocate(void __user *user)
{
	struct allocation *allocation;
	struct gpu_alloc request;
	struct quota *quota;
	int failed;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	if (!request.size || request.device_id >= DEVICES || request.flags)
		return -EINVAL;
	quota = xa_load(&quotas, request.agent_id);
	if (!quota)
		return -ENOENT;
	if (!(quota->device_mask & (1u << request.device_id)))
		return -EPERM;
	if (request.size > quota->limit - quota->used) {
		stats.quota_violations++;
		return -EDQUOT;
	}
	if (request.size > TOTAL - stats.used_memory)
		return -ENOMEM;
	allocation = kzalloc(sizeof(*allocation), GFP_KERNEL);
	if (!allocation)
		return -ENOMEM;
	allocation->agent_id = request.agent_id;
	allocation->size = request.size;
	request.alloc_id = next_id;
	if (copy_to_user(user, &request, sizeof(request))) {
		kfree(allocation);
		return -EFAULT;
	}
	failed =
	    xa_err(xa_store(&allocations, next_id, allocation, GFP_KERNEL));
	if (failed) {
		kfree(allocation);
		return failed;
	}
	next_id++;
	quota->used += request.size;
	stats.used_memory += request.size;
	stats.allocation_count++;
	if (debug)
		pr_info("gpu_dma_lock: allocation %llu\n", request.alloc_id);
	return 0;
}

static long release(__u64 id)
{
	struct allocation *allocation = xa_erase(&allocations, id);
	struct quota *quota;

	if (!allocation)
		return -ENOENT;
	quota = xa_load(&quotas, allocation->agent_id);
	if (quota)
		quota->used -= allocation->size;
	stats.used_memory -= allocation->size;
	stats.allocation_count--;
	kfree(allocation);
	return 0;
}

/* A limit and a mask of zero give a quota up. */
static long set_quota(void __user *user)
{
	struct gpu_quota request;
	struct quota *quota;
	int failed;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	if (request.padding || request.device_mask >> DEVICES ||
	    (!request.memory_limit != !request.device_mask))
		return -EINVAL;
	quota = xa_load(&quotas, request.agent_id);
	if (!request.memory_limit) {
		if (!quota)
			return -ENOENT;
		if (quota->used)
			return -EBUSY;
		xa_erase(&quotas, request.agent_id);
		kfree(quota);
		return 0;
	}
	if (!quota) {
		quota = kzalloc(sizeof(*quota), GFP_KERNEL);
		if (!quota)
			return -ENOMEM;
		failed = xa_err(
		    xa_store(&quotas, request.agent_id, quota, GFP_KERNEL));
		if (failed) {
			kfree(quota);
			return failed;
		}
	}
	if (request.memory_limit < quota->used)
		return -EBUSY;
	quota->limit = request.memory_limit;
	quota->device_mask = request.device_mask;
	return 0;
}

static long check(void __user *user)
{
	struct dma_check request;
	struct quota *quota;
	u64 end;
	u32 i;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	if (!request.size || !request.access_type ||
	    request.access_type & ~(SWARM_READ | SWARM_WRITE) ||
	    check_add_overflow(request.dma_addr, request.size, &end))
		return -EINVAL;
	quota = xa_load(&quotas, request.agent_id);
	if (!quota)
		return -ENOENT;
	stats.dma_checks++;
	request.allowed = 0;
	for (i = 0; i < quota->grants; i++) {
		const struct grant *grant = &quota->grant[i];

		if (grant->start <= request.dma_addr && end <= grant->end &&
		    (grant->permissions & request.access_type) ==
			request.access_type)
			request.allowed = 1;
	}
	return copy_to_user(user, &request, sizeof(request)) ? -EFAULT : 0;
}

static long grant(void __user *user)
{
	struct dma_grant request;
	struct quota *quota;
	u64 end;
	u32 i;

	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	if (!request.size || request.padding ||
	    request.permissions & ~(SWARM_READ | SWARM_WRITE) ||
	    check_add_overflow(request.dma_addr, request.size, &end))
		return -EINVAL;
	quota = xa_load(&quotas, request.agent_id);
	if (!quota)
		return -ENOENT;
	for (i = 0; i < quota->grants; i++)
		if (quota->grant[i].start == request.dma_addr &&
		    quota->grant[i].end == end)
			break;
	if (i == GRANTS)
		return -ENOMEM;
	quota->grant[i].start = request.dma_addr;
	quota->grant[i].end = end;
	quota->grant[i].permissions = request.permissions;
	quota->grants = max(quota->grants, i + 1);
	return 0;
}

static long control(struct file *file, unsigned int command,
		    unsigned long argument)
{
	void __user *user = (void __user *)argument;
	struct gpu_stats copy;
	__u64 id = argument;
	long result;

	switch (command) {
	case GPU_ALLOC:
	case GPU_FREE:
	case GPU_SET_QUOTA:
	case DMA_GRANT_PERM:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		break;
	case GPU_QUERY:
	case DMA_CHECK_PERM:
		break;
	default:
		return -ENOTTY;
	}
	if (command == GPU_FREE && free_by_pointer &&
	    copy_from_user(&id, user, sizeof(id)))
		return -EFAULT;
	mutex_lock(&lock);
	copy = stats;
	switch (command) {
	case GPU_ALLOC:
		result = allocate(user);
		break;
	case GPU_FREE:
		result = release(id);
		break;
	case GPU_SET_QUOTA:
		result = set_quota(user);
		break;
	case DMA_CHECK_PERM:
		result = check(user);
		break;
	case DMA_GRANT_PERM:
		result = grant(user);
		break;
	default:
		result = copy_to_user(user, &copy, sizeof(copy)) ? -EFAULT : 0;
		break;
	}
	mutex_unlock(&lock);
	return result;
}

static int show_stats(struct seq_file *file, void *unused)
{
	mutex_lock(&lock);
	swarm_title(file, "GPU Statistics");
	seq_printf(
	    file,
	    "total_memory: %llu\nused_memory: %llu\nallocation_count: %llu\n",
	    stats.total_memory, stats.used_memory, stats.allocation_count);
	seq_printf(file, "dma_checks: %llu\nquota_violations: %llu\n",
		   stats.dma_checks, stats.quota_violations);
	mutex_unlock(&lock);
	return 0;
}

static int show_agents(struct seq_file *file, void *unused)
{
	struct quota *quota;
	unsigned long id;

	mutex_lock(&lock);
	swarm_title(file, "GPU Agents");
	xa_for_each(&quotas, id, quota) seq_printf(
	    file, "%lu: %llu of %llu\n", id, quota->used, quota->limit);
	mutex_unlock(&lock);
	return 0;
}

static const struct file_operations operations = {
    .owner = THIS_MODULE,
    .unlocked_ioctl = control,
};

static struct miscdevice device = {
    .minor = MISC_DYNAMIC_MINOR,
    .name = "gpu_dma_lock",
    .mode = 0666,
    .fops = &operations,
};

static int __init gpu_dma_lock_init(void)
{
	struct proc_dir_entry *folder = proc_mkdir("gpu", swarm_proc_root);
	int failed = -ENOMEM;

	if (!folder)
		return failed;
	if (!proc_create_single("stats", 0444, folder, show_stats) ||
	    !proc_create_single("agents", 0444, folder, show_agents))
		goto remove;
	failed = misc_register(&device);
	if (!failed)
		return 0;
remove:
	proc_remove(folder);
	return failed;
}

static void __exit gpu_dma_lock_exit(void)
{
	struct allocation *allocation;
	struct quota *quota;
	unsigned long id;

	misc_deregister(&device);
	remove_proc_subtree("gpu", swarm_proc_root);
	xa_for_each(&allocations, id, allocation) kfree(allocation);
	xa_for_each(&quotas, id, quota) kfree(quota);
	xa_destroy(&allocations);
	xa_destroy(&quotas);
}

module_init(gpu_dma_lock_init);
module_exit(gpu_dma_lock_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION(
    "Test module of stratoperf: allocations and DMA permissions");
