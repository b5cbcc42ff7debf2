"""Tiers are found from the kernel's own facts."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import cast

import pytest

import stratoperf as sp
from memory_fakes import Machine, disks
from stratoperf import backends
from stratoperf.monitor.files import SystemFiles
from stratoperf.stratoswarm.memory import Tier, find, tiers
from stratoperf.stratoswarm.memory.checks import tier_checks
from wording import says


def only(machine: Machine) -> Tier:
    (tier,) = disks(machine)
    return tier


def test_this_machine_has_cpu_memory_in_both_sizes_of_pages() -> None:
    found = tiers()
    assert find("cpu", found).page_bytes == 4096
    assert find("huge", found).is_huge
    assert len({tier.name for tier in found}) == len(found)
    for tier in found:
        assert tier.reason is not None or tier.free_bytes


@pytest.mark.parametrize(
    ("folder", "rotational", "kind", "transport_hidden"),
    [
        ("pci0/nvme/nvme0/nvme0n1", False, "nvme", False),
        ("pci0/ata1/host0/block/sda", False, "ssd", False),
        ("pci0/ata1/host0/block/sda", True, "hdd", False),
        ("pci0/virtio1/block/vda", False, "ssd", True),
        ("pci0/virtio1/block/vda", True, "hdd", True),
        ("vbd-768/block/xvda", False, "ssd", True),
        ("virtual/block/loop3", False, "ssd", True),
    ],
)
def test_a_disk_is_classified_by_its_flags_and_a_virtual_one_says_that_it_hides_them(
    machine: Machine, folder: str, rotational: bool, kind: str, transport_hidden: bool
) -> None:
    machine.disk("8:0", folder, rotational=rotational)
    machine.mount("8:0", "/mnt")
    tier = only(machine)
    assert (tier.name, tier.kind) == (f"{kind}0", kind)
    assert tier.device == Path(folder).name
    assert tier.reason is None
    assert (tier.note is not None) == transport_hidden


@pytest.mark.parametrize("model", ["QEMU NVMe Ctrl", "Amazon Elastic Block Store", "VMware disk"])
def test_an_emulated_disk_is_known_by_its_model(machine: Machine, model: str) -> None:
    machine.disk("259:0", "pci0/nvme/nvme0/nvme0n1", model=model)
    machine.mount("259:0", "/mnt")
    tier = only(machine)
    assert tier.kind == "nvme"
    assert tier.note is not None
    assert model in tier.note


def test_a_partition_has_the_flags_of_its_disk(machine: Machine) -> None:
    disk = machine.disk("8:0", "pci0/ata1/block/sda", rotational=True)
    machine.partition("8:1", disk, "sda1")
    machine.mount("8:1", "/mnt")
    assert only(machine).kind == "hdd"
    assert only(machine).device == "sda"


def test_a_volume_is_as_slow_as_its_slowest_disk(machine: Machine) -> None:
    fast = machine.disk("259:0", "pci0/nvme/nvme0/nvme0n1")
    slow = machine.disk("8:0", "pci0/ata1/block/sda", rotational=True)
    volume = machine.disk("253:0", "virtual/block/dm-0")
    (volume / "slaves").mkdir()
    for disk in (fast, slow):
        (volume / "slaves" / disk.name).symlink_to(disk)
    machine.mount("253:0", "/mnt")
    assert only(machine).kind == "hdd"
    assert only(machine).device == "dm-0 on sda"


def test_a_file_system_with_a_device_number_of_its_own_is_found_by_its_source(
    machine: Machine,
) -> None:
    machine.disk("259:0", "pci0/nvme/nvme0/nvme0n1")
    machine.mount("0:40", "/mnt", "btrfs", "/dev/nvme0n1")
    assert only(machine).kind == "nvme"


@pytest.mark.parametrize("kind", ["tmpfs", "ramfs", "devtmpfs"])
def test_memory_that_looks_like_a_file_system_is_no_disk(machine: Machine, kind: str) -> None:
    machine.mount("0:23", "/mnt", kind, kind)
    assert disks(machine) == []
    with pytest.raises(sp.InvalidParameter, match=says("directories:", "/mnt", "CPU", "memory")):
        disks(machine, {"nvme": "/mnt"})


def test_compressed_memory_is_no_disk(machine: Machine) -> None:
    machine.disk("252:0", "virtual/block/zram0")
    machine.mount("252:0", "/mnt")
    assert disks(machine) == []
    with pytest.raises(sp.InvalidParameter, match="zram0 is CPU memory"):
        disks(machine, {"ssd": "/mnt"})


def test_a_network_file_system_is_no_disk(machine: Machine) -> None:
    machine.mount("0:50", "/mnt", "nfs4", "server:/export")
    assert disks(machine) == []
    with pytest.raises(sp.InvalidParameter, match=says("block", "device")):
        disks(machine, {"hdd": "/mnt"})


def test_an_overlay_is_what_its_upper_directory_is(machine: Machine) -> None:
    machine.disk("8:0", "pci0/ata1/block/sda")
    machine.mount("8:0", "/disk")
    (machine.root / "disk/upper").mkdir()
    machine.mount("0:60", "/merged", "overlay", "overlay", "rw,lowerdir=/a,upperdir=/disk/upper")
    (tier,) = disks(machine)
    assert (tier.kind, tier.directory) == ("ssd", "/disk")
    (assigned,) = disks(machine, {"ssd": "/merged"})
    assert assigned.directory == "/merged"


def test_several_disks_are_listed_the_fastest_kind_first(machine: Machine) -> None:
    machine.disk("8:0", "pci0/ata1/block/sda", rotational=True)
    machine.disk("8:16", "pci0/ata2/block/sdb")
    machine.disk("259:0", "pci0/nvme/nvme0/nvme0n1")
    machine.disk("259:4", "pci1/nvme/nvme1/nvme1n1")
    for number, point in (("8:0", "/a"), ("8:16", "/b"), ("259:0", "/c"), ("259:4", "/d")):
        machine.mount(number, point)
    assert [tier.name for tier in disks(machine)] == ["nvme0", "nvme1", "ssd0", "hdd0"]
    assert find("disk", disks(machine)).directory == "/c"
    assert find("hdd", disks(machine)).directory == "/a"


def test_one_disk_is_one_tier_however_often_it_is_mounted(machine: Machine) -> None:
    disk = machine.disk("8:0", "pci0/ata1/block/sda")
    machine.partition("8:1", disk, "sda1")
    machine.partition("8:2", disk, "sda2")
    machine.mount("8:1", "/a")
    machine.mount("8:2", "/b")
    assert only(machine).directory == "/a"


def test_a_disk_without_a_directory_to_write_to_says_so(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.disk("8:0", "pci0/ata1/block/sda")
    machine.mount("8:0", "/mnt")
    monkeypatch.setattr("os.access", lambda *_: False)
    tier = only(machine)
    assert tier.reason is not None
    assert "directories={'ssd': DIRECTORY}" in tier.reason


def test_memory_is_listed_by_numa_node(machine: Machine) -> None:
    machine.write("/sys/devices/system/node/has_memory", "0-1")
    for node, free in ((0, 1000), (1, 2000)):
        machine.write(
            f"/sys/devices/system/node/node{node}/meminfo",
            f"Node {node} MemTotal: 9000 kB\nNode {node} MemFree: {free} kB",
        )
    found = [tier for tier in tiers(root=machine.root) if tier.kind == "cpu"]
    assert [tier.name for tier in found] == ["cpu0", "cpu0-huge", "cpu1", "cpu1-huge"]
    assert [tier.free_bytes for tier in found] == [1_024_000] * 2 + [2_048_000] * 2


@pytest.mark.parametrize(
    ("most", "now"), [("max", "current"), ("limit_in_bytes", "usage_in_bytes")]
)
def test_what_a_limit_of_the_control_group_leaves_bounds_what_is_free(
    machine: Machine, most: str, now: str
) -> None:
    machine.write("/proc/self/cgroup", "0::/")
    machine.write(f"/sys/fs/cgroup/memory.{most}", "1000000")
    machine.write(f"/sys/fs/cgroup/memory.{now}", "600000")
    assert find("cpu", tiers(root=machine.root)).free_bytes == 400_000


@pytest.mark.parametrize(
    ("setting", "usable"), [("always [madvise] never", True), ("[never]", False)]
)
def test_huge_pages_need_the_kernels_consent(machine: Machine, setting: str, usable: bool) -> None:
    machine.write("/sys/kernel/mm/transparent_hugepage/enabled", setting)
    machine.write("/proc/meminfo", "MemAvailable: 9 kB\nHugepagesize: 2048 kB")
    tier = find("huge", tiers(root=machine.root))
    assert (tier.reason is None) == usable
    assert usable or "echo madvise" in (tier.reason or "")


def test_a_gpu_is_listed_with_the_reason_why_it_is_no_tier(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "unavailable_reason", lambda _: "no CUDA device")
    tier = find("gpu", tiers(root=machine.root))
    assert tier.reason is not None
    with pytest.raises(sp.PrerequisiteMissing, match=says("gpu0")):
        sp.memory.TierManager(use=["gpu0"])


def test_without_the_cuda_module_a_gpu_is_refused_by_the_name_of_its_tier(
    without_cuda: str,
) -> None:
    with pytest.raises(sp.PrerequisiteMissing, match=says("gpu0", "CUDA", "module")):
        sp.memory.TierManager(use=["cpu0", "gpu0"])


def test_an_unknown_tier_comes_with_the_nearest_name() -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^tier: 'cpuO' .* did you mean 'cpu0'\?"):
        find("cpuO", tiers())


def test_an_unknown_tier_comes_with_the_kinds_and_what_was_found(machine: Machine) -> None:
    for name in ("tape", 7):
        with pytest.raises(
            sp.InvalidParameter,
            match=r"kinds: gpu, cpu, .*, disk; found here: gpu0, cpu0, cpu0-huge$",
        ):
            find(cast(str, name), tiers(root=machine.root))


def test_the_doctor_lists_every_tier_and_what_mends_the_missing(machine: Machine) -> None:
    machine.disk("254:0", "pci0/virtio1/block/vda")
    machine.mount("254:0", "/mnt")
    checks = {check.name: check for check in tier_checks(SystemFiles(machine.root))}
    assert set(checks) == {"tier gpu0", "tier cpu0", "tier cpu0-huge", "tier ssd0"}
    assert checks["tier cpu0"].status == "ok"
    assert "SSD vda, ext4 in /mnt" in checks["tier ssd0"].detail
    assert "hides" in checks["tier ssd0"].detail
    assert checks["tier cpu0-huge"].status == "missing"
    assert (checks["tier cpu0-huge"].remedy or "").startswith("echo madvise | sudo tee")


def test_a_path_with_blanks_is_read_as_the_kernel_writes_it(machine: Machine) -> None:
    machine.disk("8:0", "pci0/ata1/block/sda")
    machine.mount("8:0", "/my\\040disk")
    (machine.root / "my disk").mkdir()
    assert only(machine).directory == "/my disk"


def test_of_equal_kinds_the_usable_one_is_found() -> None:
    closed = Tier("ssd0", "ssd", reason="full")
    assert find("ssd", [closed, dataclasses.replace(closed, name="ssd1", reason=None)]).name == (
        "ssd1"
    )
    assert find("ssd", [closed]) is closed
