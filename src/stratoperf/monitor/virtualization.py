"""Find the hypervisor and the container around this process, from files alone."""

from __future__ import annotations

from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.model import Virtualization

# A word in the firmware's vendor or product name -> the hypervisor.
FIRMWARE = {
    "qemu": "kvm",
    "kvm": "kvm",
    "amazon ec2": "kvm",
    "google compute engine": "kvm",
    "openstack": "kvm",
    "vmware": "vmware",
    "virtualbox": "virtualbox",
    "innotek": "virtualbox",
    "xen": "xen",
    "microsoft corporation virtual machine": "hyper-v",
    "parallels": "parallels",
}
# A paravirtual clock betrays its hypervisor where no firmware is visible (Firecracker).
CLOCKS = {"kvm-clock": "kvm", "xen": "xen", "hyperv_clocksource_tsc_page": "hyper-v"}
CONTAINER_FILES = {"/.dockerenv": "docker", "/run/.containerenv": "podman"}
CONTAINER_GROUPS = {
    "kubepods": "kubernetes",
    "docker": "docker",
    "libpod": "podman",
    "containerd": "containerd",
    "lxc": "lxc",
    "garden": "garden",
}


def virtualization(files: SystemFiles) -> Virtualization:
    """Return the names of the hypervisor and the container manager, ``None`` when unseen."""
    return Virtualization(hypervisor=_hypervisor(files), container=_container(files))


def _hypervisor(files: SystemFiles) -> str | None:
    flags = (files.table("/proc/cpuinfo").get("flags") or "").split()
    # x86 tells by a CPU flag; without it a product name such as "KVM over IP" means nothing.
    if flags and "hypervisor" not in flags:
        return None
    named = _named_hypervisor(files)
    return named or ("unknown" if flags else None)


def _named_hypervisor(files: SystemFiles) -> str | None:
    if "microsoft" in (files.text("/proc/sys/kernel/osrelease") or "").lower():
        return "hyper-v (WSL)"
    kind = files.text("/sys/hypervisor/type")
    if kind:
        return kind
    tree = files.text("/proc/device-tree/hypervisor/compatible")
    if tree:
        return tree.split("\0")[0].removeprefix("linux,")
    parts = (
        files.text(f"/sys/class/dmi/id/{name}") or "" for name in ("sys_vendor", "product_name")
    )
    firmware = " ".join(parts).lower()
    for word, name in FIRMWARE.items():
        if word in firmware:
            return name
    clocks = files.text("/sys/devices/system/clocksource/clocksource0/available_clocksource") or ""
    for clock in clocks.split():
        if clock in CLOCKS:
            return CLOCKS[clock]
    return None


def _container(files: SystemFiles) -> str | None:
    named = files.text("/run/systemd/container")
    if named:
        return named
    for name, manager in CONTAINER_FILES.items():
        if files.exists(name):
            return manager
    # Readable by root only; systemd-nspawn, LXC and Podman set it.
    for variable in (files.text("/proc/1/environ") or "").split("\0"):
        key, _, value = variable.partition("=")
        if key == "container" and value:
            return value
    groups = files.text("/proc/1/cgroup") or ""
    for word, manager in CONTAINER_GROUPS.items():
        if word in groups:
            return manager
    return None
