"""What this machine can measure, and the command that adds what it cannot."""

from __future__ import annotations

import importlib.util
import os
import shutil

from stratoperf import backends
from stratoperf.monitor import cgroup, gpu, namespaces
from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.model import Check, Status, SystemInfo

EXTRAS = {"matplotlib": ("plot", "figures"), "pandas": ("dataframe", "data frames")}
SIMD = ("avx512f", "avx2", "sve2", "sve", "asimd")


def capability_checks(files: SystemFiles, info: SystemInfo) -> list[Check]:
    """Return one check per thing that benchmarks can need."""
    return [
        _cpu(info),
        _cuda(files, info),
        _namespaces(files),
        _control_groups(files),
        _perf(files),
        *(_extra(module, *purpose) for module, purpose in EXTRAS.items()),
    ]


def _check(name: str, status: Status, detail: str, remedy: str | None = None) -> Check:
    return Check(name=name, status=status, detail=detail, remedy=remedy, topic="measures")


def _cpu(info: SystemInfo) -> Check:
    simd = next((name for name in SIMD if name in info.cpu.features), "no SIMD extension")
    cores = info.cpu.physical_cores or info.cpu.logical_cores
    return _check(
        "backend cpu", "ok", f"{info.cpu.model or info.cpu.architecture}, {cores} cores, {simd}"
    )


def _cuda(files: SystemFiles, info: SystemInfo) -> Check:
    reason = backends.unavailable_reason("cuda")
    if reason is None:
        names = ", ".join(device.name for device in info.gpus)
        return _check("backend cuda", "ok", names or "available")
    built = backends.cuda_is_built()
    if not gpu.driver_present(files):
        return _check(
            "backend cuda",
            "missing",
            "no NVIDIA driver is loaded" if built else f"no NVIDIA driver is loaded; {reason}",
            "sudo apt install nvidia-driver  # on a machine with an NVIDIA GPU",
        )
    remedy = "nvidia-smi" if built else "pip install . -Ccmake.define.STRATOPERF_CUDA=ON"
    return _check("backend cuda", "missing", reason, remedy)


def _namespaces(files: SystemFiles) -> Check:
    problem = namespaces.refusal()
    if problem is None:
        return _check("namespaces", "ok", "all seven types can be created")
    return _check(
        "namespaces",
        "missing",
        f"containers cannot be spawned: {problem}",
        namespaces.remedy(files),
    )


def _control_groups(files: SystemFiles) -> Check:
    folders = [
        folder
        for controller in ("memory", "cpu", "pids")
        for folder in cgroup.group_folders(files, controller)[:1]
    ]
    if not folders:
        return _check(
            "control groups",
            "missing",
            "no hierarchy is mounted: containers run without limits",
            "sudo mount -t cgroup2 none /sys/fs/cgroup",
        )
    closed = [folder for folder in folders if not os.access(files.path(folder), os.W_OK)]
    if closed:
        return _check(
            "control groups",
            "missing",
            f"{closed[0]} is not writable: containers run without limits",
            "systemd-run --user --scope -p Delegate=yes stratoperf run ...",
        )
    return _check("control groups", "ok", "memory, CPU and process limits can be set")


def _perf(files: SystemFiles) -> Check:
    level = files.integer("/proc/sys/kernel/perf_event_paranoid")
    if level is None:
        return _check("perf events", "unknown", "the kernel does not report it")
    # Level 2 still lets a user profile own code in user space; above that nothing is left.
    if level > 2 and os.geteuid() != 0:
        return _check(
            "perf events",
            "missing",
            f"perf_event_paranoid is {level}: no hardware counters for this user",
            "sudo sysctl kernel.perf_event_paranoid=1",
        )
    if shutil.which("perf") is None:
        return _check(
            "perf events",
            "missing",
            "the command 'perf' is not installed",
            "sudo apt install linux-perf  # on Ubuntu: linux-tools-generic",
        )
    return _check("perf events", "ok", f"perf_event_paranoid is {level}")


def _extra(module: str, extra: str, purpose: str) -> Check:
    if importlib.util.find_spec(module) is not None:
        return _check(f"extra {extra}", "ok", f"{module} is installed")
    return _check(
        f"extra {extra}",
        "missing",
        f"{module} is not installed: no {purpose}",
        f"pip install 'stratoperf[{extra}]'",
    )
