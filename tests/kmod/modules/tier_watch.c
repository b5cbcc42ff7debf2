// SPDX-License-Identifier: GPL-2.0
/* Counters of memory tiers: accounts for migrations, and moves no page. For
 * tests. */
#include <linux/kprobes.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "swarm.h"

static bool debug;
module_param(debug, bool, 0444);
static bool enable_auto_migration;
module_param(enable_auto_migration, bool, 0444);
static bool probe;
module_param(probe, bool, 0444);
MODULE_PARM_DESC(probe, "Count page faults by a kprobe");

#define TIERS 5

struct tier {
	const char *name;
	u64 total, hot, cold, in, out;
};

static struct tier tiers[TIERS] = {
    {.name = "gpu", .total = 1 << 16, .hot = 1 << 13, .cold = 1 << 13},
    {.name = "cpu", .total = 1 << 18, .hot = 1 << 15, .cold = 1 << 15},
    {.name = "nvme", .total = 1 << 20, .hot = 1 << 10, .cold = 1 << 17},
    {.name = "ssd", .total = 1 << 21, .hot = 0, .cold = 1 << 18},
    {.name = "hdd", .total = 1 << 22, .hot = 0, .cold = 1 << 19},
};
static DEFINE_MUTEX(lock);
static atomic64_t faults;

static u64 used(const struct tier *tier)
{
	return tier->hot + tier->cold;
}

static u32 level(const struct tier *tier)
{
	return (u32)(100 * used(tier) / tier->total);
}

static long give_stats(void __user *user)
{
	struct tier_stats reply = {};
	const struct tier *tier;
	u32 number;

	if (get_user(number, (u32 __user *)user))
		return -EFAULT;
	if (number >= TIERS)
		return -EINVAL;
	tier = &tiers[number];
	mutex_lock(&lock);
	reply.tier = number;
	reply.total_pages = tier->total;
	reply.used_pages = used(tier);
	reply.hot_pages = tier->hot;
	reply.cold_pages = tier->cold;
	reply.migrations_in = tier->in;
	reply.migrations_out = tier->out;
	mutex_unlock(&lock);
	return copy_to_user(user, &reply, sizeof(reply)) ? -EFAULT : 0;
}

static long give_pressure(void __user *user)
{
	struct memory_pressure reply = {};
	const struct tier *tier;
	u32 number;

	if (get_user(number, (u32 __user *)user))
		return -EFAULT;
	if (number >= TIERS)
		return -EINVAL;
	tier = &tiers[number];
	mutex_lock(&lock);
	reply.tier = number;
	reply.pressure_level = level(tier);
	reply.free_pages = tier->total - used(tier);
	reply.reclaimable_pages = tier->cold;
	mutex_unlock(&lock);
	return copy_to_user(user, &reply, sizeof(reply)) ? -EFAULT : 0;
}

static long migrate(void __user *user)
{
	struct migration_request request;
	struct tier *from, *to;
	long result = 0;
	u64 cold;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&request, user, sizeof(request)))
		return -EFAULT;
	if (request.from_tier >= TIERS || request.to_tier >= TIERS ||
	    request.from_tier == request.to_tier || !request.page_count)
		return -EINVAL;
	from = &tiers[request.from_tier];
	to = &tiers[request.to_tier];
	mutex_lock(&lock);
	if (request.page_count > used(from)) {
		result = -EINVAL;
	} else if (request.page_count > to->total - used(to)) {
		result = -ENOMEM;
	} else {
		/* Cold pages go first. */
		cold = min(request.page_count, from->cold);
		from->cold -= cold;
		from->hot -= request.page_count - cold;
		to->cold += request.page_count;
		from->out += request.page_count;
		to->in += request.page_count;
	}
	mutex_unlock(&lock);
	if (debug && !result)
		pr_info("tier_watch: %llu pages, %s to %s\n",
			request.page_count, from->name, to->name);
	return result;
}

static long control(struct file *file, unsigned int command,
		    unsigned long argument)
{
	void __user *user = (void __user *)argument;

	switch (command) {
	case TIER_STATS:
		return give_stats(user);
	case TIER_PRESSURE:
		return give_pressure(user);
	case TIER_MIGRATE:
		return migrate(user);
	default:
		return -ENOTTY;
	}
}

static int show_tier(struct seq_file *file, void *unused)
{
	const struct tier *tier = file->private;

	mutex_lock(&lock);
	swarm_title(file, "Tier Statistics");
	seq_printf(file,
		   "total_pages: %llu\nhot_pages: %llu\ncold_pages: %llu\n",
		   tier->total, tier->hot, tier->cold);
	seq_printf(file, "migrations_in: %llu\nmigrations_out: %llu\n",
		   tier->in, tier->out);
	seq_printf(file, "total_faults: %lld\npressure: %u\n",
		   (s64)atomic64_read(&faults), level(tier));
	mutex_unlock(&lock);
	return 0;
}

static int count_fault(struct kprobe *unused, struct pt_regs *registers)
{
	atomic64_inc(&faults);
	return 0;
}

static struct kprobe fault_probe = {
    .symbol_name = "handle_mm_fault",
    .pre_handler = count_fault,
};

static const struct file_operations operations = {
    .owner = THIS_MODULE,
    .unlocked_ioctl = control,
};

static struct miscdevice device = {
    .minor = MISC_DYNAMIC_MINOR,
    .name = "tier_watch",
    .mode = 0666,
    .fops = &operations,
};

static int __init tier_watch_init(void)
{
	struct proc_dir_entry *folder = proc_mkdir("tiers", swarm_proc_root);
	int failed = -ENOMEM;
	int i;

	if (!folder)
		return failed;
	for (i = 0; i < TIERS; i++) {
		struct proc_dir_entry *own = proc_mkdir(tiers[i].name, folder);

		if (!own || !proc_create_single_data("stats", 0444, own,
						     show_tier, &tiers[i]))
			goto remove;
	}
	if (probe) {
		failed = register_kprobe(&fault_probe);
		if (failed)
			goto remove;
	}
	failed = misc_register(&device);
	if (!failed)
		return 0;
	if (probe)
		unregister_kprobe(&fault_probe);
remove:
	proc_remove(folder);
	return failed;
}

static void __exit tier_watch_exit(void)
{
	misc_deregister(&device);
	if (probe)
		unregister_kprobe(&fault_probe);
	remove_proc_subtree("tiers", swarm_proc_root);
}

module_init(tier_watch_init);
module_exit(tier_watch_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test module of stratoperf: counters of memory tiers");
