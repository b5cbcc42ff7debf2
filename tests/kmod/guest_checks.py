"""What has to hold with the test modules loaded, as root in a guest; prints KTAP.

``python tests/kmod/guest_checks.py FOLDER`` with the folder that has the modules. It loads and
unloads them, and refuses to run anywhere but in the guest of virtme-ng. No time is judged, since
the guest is emulated.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import command_encoding
import stratoperf as sp
from stratoperf.operation import CAPSULE_NAME

modules = sp.kernel_modules
FOLDER = Path()
CHECKS: list[Callable[[], None]] = []


def check(function: Callable[[], None]) -> Callable[[], None]:
    """Have a function called, in the order in which they stand here."""
    CHECKS.append(function)
    return function


def load(name: str, *parameters: str) -> None:
    subprocess.run(["insmod", FOLDER / f"{name}.ko", *parameters], check=True, timeout=60)


def load_all() -> None:
    load("swarm_proc")
    load("swarm_guard", "max_agents=100")
    load("tier_watch")
    load("gpu_dma_lock")


@contextlib.contextmanager
def refused(kind: type[modules.KernelModuleError], command: str, number: int) -> Iterator[None]:
    try:
        yield
    except modules.KernelModuleError as error:
        assert type(error) is kind, f"{type(error).__name__} instead of {kind.__name__}: {error}"
        assert (error.command, error.errno) == (command, number), error
        assert command in str(error), error
        assert ";" in str(error), f"no remedy: {error}"
    else:
        raise AssertionError(f"{command} was not refused with {errno.errorcode[number]}")


def raw(device: str, word: int, argument: bytearray | int) -> int:
    """Give a command without the bindings; return 0 or the error."""
    descriptor = os.open(f"/dev/{device}", os.O_RDWR)
    try:
        fcntl.ioctl(descriptor, word, argument)
    except OSError as error:
        return error.errno or -1
    finally:
        os.close(descriptor)
    return 0


def as_another_user(work: Callable[[], None]) -> None:
    """Do something as a user without rights, in a child that must succeed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0, "the child says why"


@check
def modules_are_missing_before_they_are_loaded() -> None:
    for name in modules.MODULES:
        state = modules.available(name)
        assert not state, name
        assert "modprobe" in state.remedy, state
    try:
        modules.SwarmGuard()
    except sp.PrerequisiteMissing:
        return
    raise AssertionError("a missing device was opened")


@check
def modules_are_available_when_they_are_loaded() -> None:
    load_all()
    for name in modules.MODULES:
        state = modules.available(name)
        assert state, state


@check
def agents_are_created_queried_and_destroyed() -> None:
    before = modules.agent_statistics()
    with modules.SwarmGuard() as guard:
        agent = guard.create_agent("n" * 63, memory_limit=1, namespaces=["pid", "uts"])
        seen = guard.query_agent(agent)
        assert (seen.id, seen.pid, seen.state) == (agent, os.getpid(), "created"), seen
        guard.set_namespaces(agent, ["net"])
        (row,) = [row for row in modules.agents() if row.id == agent]
        assert row.name == "n" * 63, row
        guard.destroy_agent(agent)
        with refused(modules.NotFound, "AGENT_DESTROY", errno.ENOENT):
            guard.destroy_agent(agent)
        with refused(modules.NotFound, "AGENT_QUERY", errno.ENOENT):
            guard.query_agent(agent)
        with refused(modules.NotFound, "AGENT_SET_NS", errno.ENOENT):
            guard.set_namespaces(agent, [])
    after = modules.agent_statistics()
    assert (after.created, after.active) == (before.created + 1, before.active), after


@check
def mounts_are_set_up_and_taken_down() -> None:
    bind = modules.BindMount("/usr", "/mnt", ["readonly", "nodev"])
    overlay = modules.Overlay("/lower", "/upper", "/work", "/merged")
    with modules.SwarmGuard() as guard:
        agent = guard.create_agent("mounts", memory_limit=1 << 20)
        with refused(modules.NotFound, "MOUNT_TEARDOWN", errno.ENOENT):
            guard.teardown_mounts(agent)
        with refused(modules.NotFound, "MOUNT_ADD_BIND", errno.ENOENT):
            guard.add_bind_mount(agent, bind)
        guard.setup_mounts(agent, bind_mounts=[bind] * 15, old_root="/old")
        assert guard.query_agent(agent).state == "active"
        with refused(modules.Busy, "MOUNT_SETUP", errno.EBUSY):
            guard.setup_mounts(agent)
        guard.add_bind_mount(agent, bind)
        with refused(modules.OutOfMemory, "MOUNT_ADD_BIND", errno.ENOMEM):
            guard.add_bind_mount(agent, bind)
        guard.mount_overlay(agent, overlay)
        with refused(modules.Busy, "MOUNT_OVERLAYFS", errno.EBUSY):
            guard.mount_overlay(agent, overlay)
        guard.teardown_mounts(agent)
        guard.setup_mounts(agent, overlay=overlay)
        guard.destroy_agent(agent)


@check
def tiers_account_for_migrations() -> None:
    with modules.TierWatch() as watch:
        before = {tier: watch.stats(tier) for tier in modules.TIERS}
        assert [usage.tier for usage in before.values()] == list(modules.TIERS)
        watch.migrate("cpu", "nvme", 100)
        cpu, nvme = watch.stats("cpu"), watch.stats("nvme")
        assert cpu.used_pages == before["cpu"].used_pages - 100
        assert cpu.migrations_out == before["cpu"].migrations_out + 100
        assert nvme.used_pages == before["nvme"].used_pages + 100
        assert nvme.migrations_in == before["nvme"].migrations_in + 100
        pressure = watch.pressure("nvme")
        assert pressure.level == 100 * nvme.used_pages // nvme.total_pages
        assert pressure.free_pages == nvme.total_pages - nvme.used_pages
        counters = modules.tier_statistics("nvme")
        assert counters["migrations_in"] == nvme.migrations_in
        with refused(modules.BadField, "TIER_MIGRATE", errno.EINVAL):
            watch.migrate("cpu", "nvme", 1 << 60)
        with refused(modules.OutOfMemory, "TIER_MIGRATE", errno.ENOMEM):
            watch.migrate("hdd", "gpu", 1 << 19)
        watch.migrate("nvme", "cpu", 100)


@check
def allocations_keep_to_quotas_and_dma_to_permissions() -> None:
    with modules.GpuDmaLock() as lock:
        before = lock.query()
        with refused(modules.NotFound, "GPU_ALLOC", errno.ENOENT):
            lock.allocate(7, 4096)
        lock.set_quota(7, 8192)
        first = lock.allocate(7, 4096)
        second = lock.allocate(7, 4096)
        assert first != second
        with refused(modules.QuotaExceeded, "GPU_ALLOC", errno.EDQUOT):
            lock.allocate(7, 1)
        usage = lock.query()
        assert usage.used_memory == before.used_memory + 8192, usage
        assert usage.quota_violations == before.quota_violations + 1, usage
        assert modules.gpu_statistics()["used_memory"] == str(usage.used_memory)
        with refused(modules.Busy, "GPU_SET_QUOTA", errno.EBUSY):
            lock.set_quota(7, 1)
        for allocation in (first, second):
            lock.free(allocation)
        with refused(modules.NotFound, "GPU_FREE", errno.ENOENT):
            lock.free(first)
        lock.grant(7, 1 << 20, 4096, ["read"])
        assert lock.is_allowed(7, 1 << 20, 4096, ["read"])
        assert not lock.is_allowed(7, 1 << 20, 4097, ["read"])
        assert not lock.is_allowed(7, 1 << 20, 4096, ["read", "write"])
        with refused(modules.NotFound, "DMA_CHECK_PERM", errno.ENOENT):
            lock.is_allowed(8, 1 << 20, 1, ["read"])
        with refused(modules.BadField, "GPU_ALLOC", errno.EINVAL):
            lock.allocate(7, 1, device=99)
        lock.set_quota(7, 0, devices=[])
        assert lock.query().used_memory == before.used_memory


@check
def every_command_word_has_one_size() -> None:
    for command, (number, direction, structure, device) in command_encoding.COMMANDS.items():
        for size in (
            command_encoding.size_of(structure) + 8,
            command_encoding.size_of(structure) - 1,
            0,
        ):
            word = command_encoding.word(number, direction, size)
            assert raw(device, word, bytearray(16384)[: max(size, 1)]) == errno.ENOTTY, command
    assert raw("swarm_guard", command_encoding.word_of("TIER_STATS"), bytearray(56)) == errno.ENOTTY


@check
def a_bad_pointer_is_an_error_and_no_crash() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    library.ioctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p)
    for command, (_, _, _, device) in command_encoding.COMMANDS.items():
        descriptor = os.open(f"/dev/{device}", os.O_RDWR)
        for address in (8, 0xFFFF_8000_0000_0000):
            failed = library.ioctl(descriptor, command_encoding.word_of(command), address)
            # The published GPU_FREE takes a number: 8 is none of an allocation.
            expected = errno.ENOENT if command == "GPU_FREE" else errno.EFAULT
            assert (failed, ctypes.get_errno()) == (-1, expected), command
        os.close(descriptor)


@check
def commands_that_change_something_need_the_right_to() -> None:
    def give() -> None:
        with modules.SwarmGuard() as guard:
            with refused(modules.NotPermitted, "AGENT_CREATE", errno.EPERM):
                guard.create_agent("other", memory_limit=1)
            with refused(modules.NotPermitted, "AGENT_DESTROY", errno.EPERM):
                guard.destroy_agent(1)
            with refused(modules.NotPermitted, "MOUNT_SETUP", errno.EPERM):
                guard.setup_mounts(1)
        with modules.GpuDmaLock() as lock:
            with refused(modules.NotPermitted, "GPU_SET_QUOTA", errno.EPERM):
                lock.set_quota(1, 1)
            with refused(modules.NotPermitted, "GPU_FREE", errno.EPERM):
                lock.free(1)
            lock.query()
        with modules.TierWatch() as watch:
            with refused(modules.NotPermitted, "TIER_MIGRATE", errno.EPERM):
                watch.migrate("cpu", "ssd", 1)
            watch.pressure("cpu")

    as_another_user(give)
    assert modules.agent_statistics().syscalls_denied >= 3


@check
def padding_is_zero_on_both_sides() -> None:
    # The modules refuse a request with a byte set in its padding: what the bindings sent above had
    # none. Here one is set on purpose.
    for command, device, offset in (
        ("AGENT_CREATE", "swarm_guard", 76),
        ("AGENT_CREATE", "swarm_guard", 92),
        ("AGENT_SET_NS", "swarm_guard", 12),
        ("MOUNT_ADD_BIND", "swarm_guard", 524),
        ("MOUNT_SETUP", "swarm_guard", 9556),
        ("GPU_SET_QUOTA", "gpu_dma_lock", 20),
        ("DMA_GRANT_PERM", "gpu_dma_lock", 28),
    ):
        argument = bytearray(command_encoding.size_of(command_encoding.COMMANDS[command][2]))
        argument[0:1] = b"a"
        argument[offset] = 1
        assert raw(device, command_encoding.word_of(command), argument) == errno.EINVAL, command
    reply = bytearray(b"\0\0\0\0" + b"\xff" * 52)
    assert raw("tier_watch", command_encoding.word_of("TIER_STATS"), reply) == 0
    assert reply[4:8] == b"\0\0\0\0", "TIER_STATS left the padding as it was"
    with modules.SwarmGuard() as guard:
        agent = guard.create_agent("padding", memory_limit=1)
        reply = bytearray(struct.pack("<Q", agent) + b"\xff" * 32)
        assert raw("swarm_guard", command_encoding.word_of("AGENT_QUERY"), reply) == 0
        assert reply[12:16] == b"\0\0\0\0", "AGENT_QUERY left the padding as it was"
        assert guard.native.agent_query(agent).padding == 0
        guard.destroy_agent(agent)


@check
def a_module_can_be_full() -> None:
    with modules.SwarmGuard() as guard:
        agents = [guard.create_agent("many", memory_limit=1) for _ in range(100)]
        with refused(modules.OutOfMemory, "AGENT_CREATE", errno.ENOMEM):
            guard.create_agent("more", memory_limit=1)
        assert len(modules.agents()) == 100
        for agent in agents:
            guard.destroy_agent(agent)


@check
def concurrent_commands_lose_nothing() -> None:
    failures: list[BaseException] = []
    before, usage = modules.agent_statistics(), modules.GpuDmaLock().query()

    def work(number: int) -> None:
        try:
            with modules.SwarmGuard() as guard, modules.GpuDmaLock() as lock:
                lock.set_quota(1000 + number, 1 << 20)
                for _ in range(100):
                    agent = guard.create_agent(f"worker {number}", memory_limit=1)
                    allocation = lock.allocate(1000 + number, 4096)
                    assert guard.query_agent(agent).id == agent
                    lock.free(allocation)
                    guard.destroy_agent(agent)
                lock.set_quota(1000 + number, 0, devices=[])
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [], failures
    after = modules.agent_statistics()
    assert (after.created, after.active) == (before.created + 400, before.active), after
    assert modules.GpuDmaLock().query().used_memory == usage.used_memory


@check
def a_module_in_use_cannot_be_unloaded() -> None:
    with modules.TierWatch() as watch:
        done = subprocess.run(["rmmod", "tier_watch"], capture_output=True, timeout=60, check=False)
        assert done.returncode != 0, "it was unloaded under a reader"
        assert watch.pressure("cpu").tier == "cpu"
    subprocess.run(["rmmod", "tier_watch"], check=True, timeout=60)
    assert not modules.available("tier_watch")
    load("tier_watch")
    assert modules.available("tier_watch")


class NativeOperation(ctypes.Structure):
    """The structure of ``stratoperf/operation.h``: the sampler would take long to import here."""

    _fields_ = (
        ("struct_size", ctypes.c_uint32),
        ("stop", ctypes.c_int32),
        ("state", ctypes.c_void_p),
        ("run", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint64)),
        ("prepare", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint64)),
        (
            "verify",
            ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint64)),
        ),
        ("message", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)),
    )


def native_of(capsule: object) -> NativeOperation:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return NativeOperation.from_address(get(capsule, CAPSULE_NAME.encode()))


@check
def each_command_can_be_measured_and_leaves_nothing() -> None:
    active, usage = modules.agent_statistics().active, modules.GpuDmaLock().query()
    for command in modules.operations.COMMANDS:
        operation = modules.operations.command(command)
        native, checked, took_ns = native_of(operation.work), ctypes.c_uint64(), 0
        for _ in range(5):
            assert native.prepare(native.state, 10) == 0, native.message(native.state)
            start = time.perf_counter_ns()
            assert native.run(native.state, 10) == 0, native.message(native.state)
            took_ns += time.perf_counter_ns() - start
        assert native.verify(native.state, checked) == 0, native.message(native.state)
        assert checked.value == 50, command
        print(f"# {command}: {took_ns / 50e3:.1f} us on average, emulated")
        del native, operation
    assert modules.agent_statistics().active == active
    assert modules.GpuDmaLock().query().used_memory == usage.used_memory
    table = Path("/proc/swarm/gpu/agents").read_text()
    assert "of" not in table, f"a quota was left: {table}"


@check
def a_module_is_compared_and_put_back() -> None:
    from stratoperf.authoring import LOAD_MODULES
    from stratoperf.stratoswarm.kernel_modules import interception, loading

    os.environ[loading.FOLDER_VARIABLE] = str(FOLDER)
    try:
        loading.LoadableModule("swarm_guard")
    except sp.PrerequisiteMissing as error:
        assert "--load-modules" in str(error), error
    else:
        raise AssertionError("a module may be unloaded although nobody allowed that")
    os.environ[LOAD_MODULES] = "1"
    with modules.SwarmGuard() as guard:
        agent = guard.create_agent("alive", memory_limit=1)
        try:
            loading.LoadableModule("swarm_guard")
        except sp.PrerequisiteMissing as error:
            assert "1 agent" in str(error), error
        else:
            raise AssertionError("an agent would have been lost")
        guard.destroy_agent(agent)
    module = loading.LoadableModule("swarm_guard")
    with module.restored():
        # No time is measured: that takes long here. What is loaded at each measurement counts.
        interception._median_ns = lambda call: 1.0 if module.is_loaded() else 0.0
        operation = interception.compared("getpid", module, pairs=2)
        assert operation.observe is not None
        assert operation.observe()["added"].samples == [1.0, 1.0]
        module.unload()
    assert Path("/sys/module/swarm_guard/parameters/max_agents").read_text().strip() == "100"
    subprocess.run(["rmmod", "swarm_guard"], check=True, timeout=60)
    with loading.LoadableModule("swarm_guard").restored():
        load("swarm_guard")
    assert not Path("/sys/module/swarm_guard").exists()


@check
def a_run_compares_a_call_with_and_without_a_module_and_puts_it_back() -> None:
    load("swarm_guard", "max_agents=100")
    words = [sys.executable, "-m", "stratoperf", "run", "kernel.syscall_overhead", "--ci"]
    words += ["--param", "call=getpid", "--param", "module=swarm_guard", "--processes", "1"]
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        environment = {
            **os.environ,
            "STRATOPERF_MODULE_DIRECTORY": str(FOLDER),
            "HOME": folder,
        }
        environment.pop("STRATOPERF_LOAD_MODULES", None)
        done = subprocess.run(
            [*words, "--load-modules", "--output", folder],
            capture_output=True,
            text=True,
            timeout=600,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (record,) = Path(folder).glob("kernel.*.json")
        (result,) = json.loads(record.read_text())["results"]
        added = result["metrics"]["added"]["summary"]
        assert (result["status"], added["count"]) == ("ok", 30), result
        print(f"# swarm_guard adds {added['p50']['value']:.0f} ns to getpid, emulated")
    assert Path("/sys/module/swarm_guard/parameters/max_agents").read_text().strip() == "100"
    subprocess.run(["rmmod", "swarm_guard"], check=True, timeout=60)


@check
def a_bare_probe_is_timed_in_the_kernel() -> None:
    load("probe_batch", "calls=20000")
    folder = Path("/sys/module/probe_batch/parameters")
    values = {path.name: int(path.read_text()) for path in folder.iterdir()}
    subprocess.run(["rmmod", "probe_batch"], check=True, timeout=60)
    assert values["hits"] == values["calls"] == 20000, values
    assert 0 < values["bare_ns"] < values["probed_ns"], values
    added = (values["probed_ns"] - values["bare_ns"]) / values["calls"]
    print(f"# a bare probe adds {added:.0f} ns a call, emulated")


@check
def containers_are_cloned_into_groups_of_version_2() -> None:
    groups = Path("/sys/fs/cgroup")
    assert (groups / "cgroup.controllers").exists(), "not the unified hierarchy"
    (groups / "cgroup.subtree_control").write_text("+memory +cpu +pids")
    limits = sp.containers.Limits(memory_bytes=64 << 20, cpus=0.5, processes=8)
    with sp.containers.Spawner(timeout_s=60) as spawner:
        spawner.fill_pool(1, limits=limits)
        for way in sp.containers.WAYS:
            container = spawner.spawn(way=way, limits=limits)
            path = Path(f"/proc/{container.pid}/cgroup").read_text().strip()
            assert path.startswith("0::/stratoperf-"), path
            folder = groups / path.removeprefix("0::/")
            assert container.verify() > 20
            texts = {
                name: (folder / name).read_text().strip()
                for name in ("memory.max", "cpu.max", "pids.max", "cgroup.procs")
            }
            assert texts == {
                "memory.max": str(64 << 20),
                "cpu.max": "50000 100000",
                "pids.max": "8",
                "cgroup.procs": str(container.pid),
            }, (way, texts)
            container.destroy()
            assert not folder.exists(), folder
        one = sp.containers.Limits(processes=1)
        for way in sp.containers.WAYS:
            container = spawner.spawn(way=way, limits=one)
            path = Path(f"/proc/{container.pid}/cgroup").read_text().strip()
            text = (groups / path.removeprefix("0::/") / "pids.max").read_text()
            assert text.strip() == "1", (way, text)
            container.verify()
        image = sp.containers.Personality([0.5] * 5, bytes(32 << 20))
        try:
            small = sp.containers.Limits(memory_bytes=8 << 20)
            spawner.spawn(personality=image, limits=small)
        except sp.StratoperfError as error:
            assert "memory limit" in str(error), error
        else:
            raise AssertionError("an image of 32 MiB was loaded in a group of 8 MiB")
        population = sp.containers.Population(spawner, 3, limits=limits)
        population.grow()
        assert population.answering() == 3
        os.kill(spawner.pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while list(groups.glob("stratoperf-*")) and time.monotonic() < end:
        time.sleep(0.1)
    assert list(groups.glob("stratoperf-*")) == []


@check
def the_quota_of_an_agent_is_recorded_and_given_up() -> None:
    with sp.containers.Spawner(timeout_s=60) as spawner, modules.GpuDmaLock() as lock:
        agent = spawner.spawn(personality=sp.containers.Personality([0.5] * 5), gpu=lock)
        lock.free(lock.allocate(agent.pid, 512 << 20))
        with refused(modules.QuotaExceeded, "GPU_ALLOC", errno.EDQUOT):
            lock.allocate(agent.pid, (512 << 20) + 1)
        agent.destroy()
        with refused(modules.NotFound, "GPU_ALLOC", errno.ENOENT):
            lock.allocate(agent.pid, 1)


@check
def a_probe_counts_children() -> None:
    load("swarm_guard", "probe=1")
    before = modules.agent_statistics().syscalls_intercepted
    subprocess.run(["/bin/true"], check=True, timeout=60)
    # A clone and an execve.
    assert modules.agent_statistics().syscalls_intercepted >= before + 2


@check
def a_pointer_frees_where_the_module_wants_one() -> None:
    subprocess.run(["rmmod", "gpu_dma_lock"], check=True, timeout=60)
    load("gpu_dma_lock", "free_by_pointer=1")
    with modules.GpuDmaLock(free_by_pointer=True) as lock:
        lock.set_quota(1, 4096)
        lock.free(lock.allocate(1, 4096))
        allocation = lock.allocate(1, 4096)
        lock.free_by_pointer = False
        with refused(modules.BadPointer, "GPU_FREE", errno.EFAULT):
            lock.free(allocation)


@check
def all_modules_unload() -> None:
    assert modules.module_statistics()["modules"] == "3"
    for name in ("swarm_guard", "tier_watch", "gpu_dma_lock", "swarm_proc"):
        subprocess.run(["rmmod", name], check=True, timeout=60)
    assert not Path("/proc/swarm").exists()
    log = subprocess.run(["dmesg"], capture_output=True, text=True, timeout=60, check=True).stdout
    for word in ("BUG:", "WARNING:", "Oops", "list_del corruption"):
        assert word not in log, f"the kernel's log has {word}:\n{log[-4000:]}"


def main() -> int:
    global FOLDER
    if "virtme" not in Path("/proc/cmdline").read_text():
        print("this loads and unloads kernel modules: run it with guest.sh", file=sys.stderr)
        return 2
    FOLDER = Path(sys.argv[1]).resolve()
    print("KTAP version 1", f"1..{len(CHECKS)}", sep="\n", flush=True)
    failed = 0
    for number, function in enumerate(CHECKS, 1):
        try:
            function()
            outcome = "ok"
        except BaseException:
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            failed += 1
            outcome = "not ok"
        print(f"{outcome} {number} {function.__name__}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
