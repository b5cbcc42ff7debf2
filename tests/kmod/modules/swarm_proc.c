// SPDX-License-Identifier: GPL-2.0
/* The folder /proc/swarm, which the three test modules share: it goes when the
 * last of them went. */
#include <linux/module.h>

#include "swarm.h"

struct proc_dir_entry *swarm_proc_root;
EXPORT_SYMBOL_GPL(swarm_proc_root);

static int show_modules(struct seq_file *file, void *unused)
{
	swarm_title(file, "Module Statistics");
	/* One for each module that uses the folder. */
	seq_printf(file, "modules: %d\n", module_refcount(THIS_MODULE));
	return 0;
}

static int __init swarm_proc_init(void)
{
	swarm_proc_root = proc_mkdir("swarm", NULL);
	if (!swarm_proc_root)
		return -ENOMEM;
	if (!proc_create_single("module_stats", 0444, swarm_proc_root,
				show_modules)) {
		proc_remove(swarm_proc_root);
		return -ENOMEM;
	}
	return 0;
}

static void __exit swarm_proc_exit(void)
{
	proc_remove(swarm_proc_root);
}

module_init(swarm_proc_init);
module_exit(swarm_proc_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test module of stratoperf: the folder /proc/swarm");
