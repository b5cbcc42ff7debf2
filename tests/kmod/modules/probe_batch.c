// SPDX-License-Identifier: GPL-2.0
// What a probe with an empty handler costs: calls of a function in the kernel,
// in batches without it and with it. Loading the module measures; its
// parameters hold the two results.
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>

static uint calls = 100000;
module_param(calls, uint, 0444);
MODULE_PARM_DESC(calls, "Number of calls of each batch");

static ulong bare_ns;
module_param(bare_ns, ulong, 0444);
MODULE_PARM_DESC(bare_ns, "Nanoseconds of the batch without the probe");

static ulong probed_ns;
module_param(probed_ns, ulong, 0444);
MODULE_PARM_DESC(probed_ns, "Nanoseconds of the batch with the probe");

static ulong hits;
module_param(hits, ulong, 0444);
MODULE_PARM_DESC(hits, "Number of calls that the probe saw");

static noinline void probed_function(void)
{
	barrier();
}

static int count_hit(struct kprobe *unused, struct pt_regs *registers)
{
	hits++;
	return 0;
}

static struct kprobe probe = {
    .symbol_name = "probed_function",
    .pre_handler = count_hit,
};

static ulong time_batch(void)
{
	u64 begun = ktime_get_ns();
	uint i;

	for (i = 0; i < calls; i++) {
		probed_function();
		if (i % 1024 == 0)
			cond_resched();
	}
	return ktime_get_ns() - begun;
}

static int __init probe_batch_init(void)
{
	int failed;

	bare_ns = time_batch();
	failed = register_kprobe(&probe);
	if (failed)
		return failed;
	probed_ns = time_batch();
	unregister_kprobe(&probe);
	return 0;
}

static void __exit probe_batch_exit(void)
{
}

module_init(probe_batch_init);
module_exit(probe_batch_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test module of stratoperf: the cost of a bare probe");
