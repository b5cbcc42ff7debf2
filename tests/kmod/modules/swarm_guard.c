// SPDX-License-Identifier: GPL-2.0
/* Agents and their mounts: a registry that keeps account and confines nobody.
 * For tests. */
#include <linux/kprobes.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "swarm.h"

static bool debug;
module_param(debug, bool, 0444);
static uint max_agents = 200000;
module_param(max_agents, uint, 0444);
static bool probe;
module_param(probe, bool, 0444);
MODULE_PARM_DESC(probe, "Count clone and execve by kprobes");

struct agent {
	__u64 id;
	__s32 pid;
	char name[SWARM_NAME];
	__u32 namespace_flags;
	__u32 binds;
	bool has_mounts, has_overlay;
};

static DEFINE_XARRAY(agents);
static DEFINE_MUTEX(lock);
static u64 created, destroyed, denied;
static u64 next_id = 1;
static u64 alive;
static atomic64_t intercepted;

static bool is_text(const char *field, size_t size)
{
	return memchr(field, 0, size) != NULL;
}

static long create(void __user *user)
{
	struct agent_config config;
	struct agent *agent;
	int failed;

	if (copy_from_user(&config, user, sizeof(config)))
		return -EFAULT;
	if (!is_text(config.name, sizeof(config.name)) || !config.name[0] ||
	    config.namespace_flags & ~SWARM_NAMESPACES ||
	    config.padding_after_quota || config.padding_after_flags)
		return -EINVAL;
	if (alive >= max_agents)
		return -ENOMEM;
	agent = kzalloc(sizeof(*agent), GFP_KERNEL);
	if (!agent)
		return -ENOMEM;
	agent->id = next_id;
	agent->pid = current->tgid;
	agent->namespace_flags = config.namespace_flags;
	memcpy(agent->name, config.name, sizeof(agent->name));
	config.agent_id = agent->id;
	/* Before it can be seen: who cannot be told the id gets no agent. */
	if (copy_to_user(user, &config, sizeof(config))) {
		kfree(agent);
		return -EFAULT;
	}
	failed = xa_err(xa_store(&agents, agent->id, agent, GFP_KERNEL));
	if (failed) {
		kfree(agent);
		return failed;
	}
	next_id++;
	created++;
	alive++;
	if (debug)
		pr_info("swarm_guard: created agent %llu\n", config.agent_id);
	return 0;
}

static long destroy(__u64 id)
{
	struct agent *agent = xa_erase(&agents, id);

	if (!agent)
		return -ENOENT;
	kfree(agent);
	alive--;
	destroyed++;
	return 0;
}

static long query(void __user *user)
{
	struct agent_query query;
	struct agent_query reply = {};
	struct agent *agent;

	if (copy_from_user(&query, user, sizeof(query)))
		return -EFAULT;
	agent = xa_load(&agents, query.agent_id);
	if (!agent)
		return -ENOENT;
	reply.agent_id = agent->id;
	reply.pid = agent->pid;
	reply.state = agent->has_mounts ? 1 : 0;
	return copy_to_user(user, &reply, sizeof(reply)) ? -EFAULT : 0;
}

static long set_namespaces(void __user *user)
{
	struct namespace_config config;
	struct agent *agent;

	if (copy_from_user(&config, user, sizeof(config)))
		return -EFAULT;
	if (config.namespace_flags & ~SWARM_NAMESPACES || config.padding)
		return -EINVAL;
	agent = xa_load(&agents, config.agent_id);
	if (!agent)
		return -ENOENT;
	agent->namespace_flags = config.namespace_flags;
	return 0;
}

static bool is_right(const struct mount_setup *mount)
{
	unsigned int i;

	if (!is_text(mount->lower, SWARM_PATH) ||
	    !is_text(mount->upper, SWARM_PATH) ||
	    !is_text(mount->work, SWARM_PATH) ||
	    !is_text(mount->merged, SWARM_PATH) ||
	    !is_text(mount->old_root, SWARM_PATH) || mount->use_overlayfs > 1 ||
	    mount->private_mounts > 1 || mount->padding ||
	    mount->num_bind_mounts > SWARM_BINDS ||
	    (mount->use_overlayfs && !mount->lower[0]))
		return false;
	for (i = 0; i < mount->num_bind_mounts; i++) {
		const struct mount_entry *entry = &mount->bind_mounts[i];

		if (!is_text(entry->source, SWARM_PATH) ||
		    !is_text(entry->target, SWARM_PATH) || !entry->source[0] ||
		    !entry->target[0] || entry->flags & ~SWARM_MOUNT_FLAGS)
			return false;
	}
	return true;
}

static long set_up(void __user *user)
{
	struct mount_setup *mount = memdup_user(user, sizeof(*mount));
	struct agent *agent;
	long result = 0;

	if (IS_ERR(mount))
		return PTR_ERR(mount);
	agent = xa_load(&agents, mount->agent_id);
	if (!is_right(mount)) {
		result = -EINVAL;
	} else if (!agent) {
		result = -ENOENT;
	} else if (agent->has_mounts) {
		result = -EBUSY;
	} else {
		agent->has_mounts = true;
		agent->has_overlay = mount->use_overlayfs;
		agent->binds = mount->num_bind_mounts;
	}
	kfree(mount);
	return result;
}

static long tear_down(__u64 id)
{
	struct agent *agent = xa_load(&agents, id);

	if (!agent || !agent->has_mounts)
		return -ENOENT;
	agent->has_mounts = false;
	agent->has_overlay = false;
	agent->binds = 0;
	return 0;
}

static long add_bind(void __user *user)
{
	struct bind_mount *bind = memdup_user(user, sizeof(*bind));
	struct agent *agent;
	long result = 0;

	if (IS_ERR(bind))
		return PTR_ERR(bind);
	agent = xa_load(&agents, bind->agent_id);
	if (!is_text(bind->source, SWARM_PATH) ||
	    !is_text(bind->target, SWARM_PATH) || !bind->source[0] ||
	    !bind->target[0] || bind->flags & ~SWARM_MOUNT_FLAGS ||
	    bind->padding)
		result = -EINVAL;
	else if (!agent || !agent->has_mounts)
		result = -ENOENT;
	else if (agent->binds >= SWARM_BINDS)
		result = -ENOMEM;
	else
		agent->binds++;
	kfree(bind);
	return result;
}

static long add_overlay(void __user *user)
{
	struct overlayfs *overlay = memdup_user(user, sizeof(*overlay));
	struct agent *agent;
	long result = 0;

	if (IS_ERR(overlay))
		return PTR_ERR(overlay);
	agent = xa_load(&agents, overlay->agent_id);
	if (!is_text(overlay->lower, SWARM_PATH) ||
	    !is_text(overlay->upper, SWARM_PATH) ||
	    !is_text(overlay->work, SWARM_PATH) ||
	    !is_text(overlay->merged, SWARM_PATH) || !overlay->lower[0] ||
	    !overlay->merged[0])
		result = -EINVAL;
	else if (!agent || !agent->has_mounts)
		result = -ENOENT;
	else if (agent->has_overlay)
		result = -EBUSY;
	else
		agent->has_overlay = true;
	kfree(overlay);
	return result;
}

static long control(struct file *file, unsigned int command,
		    unsigned long argument)
{
	void __user *user = (void __user *)argument;
	__u64 id = 0;
	long result;

	switch (command) {
	case AGENT_CREATE:
	case AGENT_DESTROY:
	case AGENT_SET_NS:
	case MOUNT_SETUP:
	case MOUNT_TEARDOWN:
	case MOUNT_ADD_BIND:
	case MOUNT_OVERLAYFS:
		if (!capable(CAP_SYS_ADMIN)) {
			mutex_lock(&lock);
			denied++;
			mutex_unlock(&lock);
			return -EPERM;
		}
		break;
	case AGENT_QUERY:
		break;
	default:
		return -ENOTTY;
	}
	if ((command == AGENT_DESTROY || command == MOUNT_TEARDOWN) &&
	    copy_from_user(&id, user, sizeof(id)))
		return -EFAULT;
	mutex_lock(&lock);
	switch (command) {
	case AGENT_CREATE:
		result = create(user);
		break;
	case AGENT_DESTROY:
		result = destroy(id);
		break;
	case AGENT_QUERY:
		result = query(user);
		break;
	case AGENT_SET_NS:
		result = set_namespaces(user);
		break;
	case MOUNT_SETUP:
		result = set_up(user);
		break;
	case MOUNT_TEARDOWN:
		result = tear_down(id);
		break;
	case MOUNT_ADD_BIND:
		result = add_bind(user);
		break;
	default:
		result = add_overlay(user);
		break;
	}
	mutex_unlock(&lock);
	return result;
}

static int show_stats(struct seq_file *file, void *unused)
{
	mutex_lock(&lock);
	swarm_title(file, "Agent Statistics");
	seq_printf(file, "Total agents created: %llu\n", created);
	seq_printf(file, "Total agents destroyed: %llu\n", destroyed);
	seq_printf(file, "Active agents: %llu\n", alive);
	seq_puts(file, "Total violations: 0\n");
	seq_printf(file, "Syscalls intercepted: %lld\n",
		   (s64)atomic64_read(&intercepted));
	seq_printf(file, "Syscalls denied: %llu\n", denied);
	mutex_unlock(&lock);
	return 0;
}

static int show_list(struct seq_file *file, void *unused)
{
	struct agent *agent;
	unsigned long id;

	mutex_lock(&lock);
	swarm_title(file, "Agents");
	seq_puts(file, "ID PID Name State Trust Violations\n");
	xa_for_each(&agents, id, agent)
	    seq_printf(file, "%llu %d %s %s 100 0\n", agent->id, agent->pid,
		       agent->name, agent->has_mounts ? "ACTIVE" : "CREATED");
	mutex_unlock(&lock);
	return 0;
}

static int count_call(struct kprobe *unused, struct pt_regs *registers)
{
	atomic64_inc(&intercepted);
	return 0;
}

static struct kprobe probes[] = {
    {.symbol_name = "kernel_clone", .pre_handler = count_call},
    {.symbol_name = "begin_new_exec", .pre_handler = count_call},
};
static struct kprobe *probe_list[] = {&probes[0], &probes[1]};

static const struct file_operations operations = {
    .owner = THIS_MODULE,
    .unlocked_ioctl = control,
};

static struct miscdevice device = {
    .minor = MISC_DYNAMIC_MINOR,
    .name = "swarm_guard",
    .mode = 0666,
    .fops = &operations,
};

static int __init swarm_guard_init(void)
{
	struct proc_dir_entry *folder = proc_mkdir("agents", swarm_proc_root);
	int failed = -ENOMEM;

	if (!folder)
		return failed;
	if (!proc_create_single("stats", 0444, folder, show_stats) ||
	    !proc_create_single("list", 0444, folder, show_list))
		goto remove;
	if (probe) {
		failed = register_kprobes(probe_list, ARRAY_SIZE(probe_list));
		if (failed)
			goto remove;
	}
	failed = misc_register(&device);
	if (!failed)
		return 0;
	if (probe)
		unregister_kprobes(probe_list, ARRAY_SIZE(probe_list));
remove:
	proc_remove(folder);
	return failed;
}

static void __exit swarm_guard_exit(void)
{
	struct agent *agent;
	unsigned long id;

	misc_deregister(&device);
	remove_proc_subtree("agents", swarm_proc_root);
	if (probe)
		unregister_kprobes(probe_list, ARRAY_SIZE(probe_list));
	xa_for_each(&agents, id, agent) kfree(agent);
	xa_destroy(&agents);
}

module_init(swarm_guard_init);
module_exit(swarm_guard_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test module of stratoperf: agents and their mounts");
