"""Directories that are assigned to tiers: by option or by the environment, right or wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import stratoperf as sp
from memory_fakes import Machine, disks
from stratoperf.monitor.files import SystemFiles
from stratoperf.stratoswarm.memory import find, tiers
from stratoperf.stratoswarm.memory.assignments import DIRECTORIES_VARIABLE
from stratoperf.stratoswarm.memory.checks import tier_checks
from wording import says


def test_a_directory_on_another_kind_of_disk_is_refused(machine: Machine) -> None:
    machine.disk("8:0", "pci0/ata1/block/sda", rotational=True)
    machine.mount("8:0", "/mnt")
    with pytest.raises(sp.InvalidParameter, match=says("directories:", "/mnt", "'hdd'", "'nvme'")):
        disks(machine, {"nvme": "/mnt"})


def test_a_virtual_disk_may_be_assigned_to_any_kind(machine: Machine) -> None:
    machine.disk("254:0", "pci0/virtio1/block/vda", rotational=True)
    machine.mount("254:0", "/mnt")
    (machine.root / "mnt/fast").mkdir()
    (tier,) = disks(machine, {"nvme": "/mnt/fast"})
    assert (tier.name, tier.directory) == ("nvme0", "/mnt/fast")


def test_an_overlay_that_hides_its_device_is_used_only_when_it_is_assigned(
    machine: Machine,
) -> None:
    machine.mount("0:60", "/merged", "overlay", "overlay", "rw,upperdir=/var/lib/of/the/host")
    assert disks(machine) == []
    (tier,) = disks(machine, {"nvme": "/merged"})
    assert (tier.kind, tier.reason) == ("nvme", None)
    assert tier.note is not None
    assert "assigned by option" in tier.note


@pytest.mark.parametrize(
    ("directories", "message"),
    [
        ({"floppy": "/mnt"}, says("'floppy'", "kind")),
        ({"nvm": "/mnt"}, "did you mean 'nvme'"),
        ({"nvme": "/nowhere"}, says("/nowhere", "directory")),
        ({"nvme": 7}, says("'nvme'", "7")),
    ],
)
def test_a_wrong_assignment_is_named(
    machine: Machine, directories: dict[str, object], message: str
) -> None:
    machine.mount("8:0", "/mnt")
    with pytest.raises(sp.InvalidParameter, match=rf"^directories: .*{message}"):
        disks(machine, directories)


def test_directories_can_come_from_the_environment(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.disk("254:0", "pci0/virtio1/block/vda")
    machine.mount("254:0", "/mnt")
    for name in ("x", "y"):
        (machine.root / "mnt" / name).mkdir()
    monkeypatch.setenv(DIRECTORIES_VARIABLE, "nvme=/mnt/x, hdd=/mnt/y")
    assert [(tier.kind, tier.directory) for tier in disks(machine)] == [
        ("nvme", "/mnt/x"),
        ("hdd", "/mnt/y"),
    ]


@pytest.fixture
def fast(machine: Machine) -> Machine:
    """A machine with a virtual disk at /mnt, /mnt/fast on it, and memory at /shm."""
    machine.disk("254:0", "pci0/virtio1/block/vda")
    machine.mount("254:0", "/mnt")
    (machine.root / "mnt/fast").mkdir()
    machine.mount("0:23", "/shm", "tmpfs", "tmpfs")
    return machine


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("ssd=/gone", says("/gone", "create it")),
        ("ssd=/shm", says("/shm", "tmpfs", "CPU memory")),
    ],
)
def test_a_directory_of_the_environment_that_cannot_be_used_leaves_the_others(
    fast: Machine, monkeypatch: pytest.MonkeyPatch, entry: str, why: str
) -> None:
    monkeypatch.setenv(DIRECTORIES_VARIABLE, f"{entry},nvme=/mnt/fast")
    found = tiers(root=fast.root)
    assert find("cpu", found).reason is None
    assert find("nvme", found).directory == "/mnt/fast"
    lost = find("ssd", found)
    assert re.search(f"^{DIRECTORIES_VARIABLE}: {why}", lost.reason or "")
    check = next(item for item in tier_checks(SystemFiles(fast.root)) if item.name == "tier ssd0")
    assert check.status == "missing"
    assert re.search(why, check.detail)


def test_another_disk_does_not_take_the_place_of_a_directory_that_cannot_be_used(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.disk("8:0", "pci0/ata1/block/sda")
    machine.mount("8:0", "/mnt")
    monkeypatch.setenv(DIRECTORIES_VARIABLE, "ssd=/gone")
    found = tiers(root=machine.root)
    assert find("ssd", found).reason is not None
    assert find("ssd1", found).directory == "/mnt"
    assert find("disk", found).reason is not None
    monkeypatch.setenv(DIRECTORIES_VARIABLE, "ssd=/gone,ssd=/mnt")
    assert find("ssd", tiers(root=machine.root)).directory == "/mnt"


def test_the_error_of_a_tier_with_a_wrong_directory_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIRECTORIES_VARIABLE, f"hdd={tmp_path / 'gone'}")
    with pytest.raises(sp.PrerequisiteMissing, match=says("hdd0", "directory")):
        sp.memory.TierManager(use="hdd")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("/mnt/fast", "expected KIND=DIRECTORY, such as nvme=/mnt/fast, got '/mnt/fast'"),
        ("nvme=", "expected KIND=DIRECTORY"),
        ("nvm=/mnt/fast", "'nvm' in 'nvm=/mnt/fast' is not a kind of disk; did you mean 'nvme'?"),
    ],
)
def test_an_entry_that_assigns_nothing_is_warned_of(
    fast: Machine, monkeypatch: pytest.MonkeyPatch, entry: str, message: str
) -> None:
    monkeypatch.setenv(DIRECTORIES_VARIABLE, f"{entry},hdd=/mnt/fast")
    with pytest.warns(UserWarning, match=f"^{DIRECTORIES_VARIABLE}: {re.escape(message)}"):
        found = tiers(root=fast.root)
    assert find("hdd", found).directory == "/mnt/fast"
    checks = {check.name: check for check in tier_checks(SystemFiles(fast.root))}
    assert checks["tier directories"].status == "warning"
    assert message in checks["tier directories"].detail
    assert checks["tier hdd0"].status == "ok"
    with pytest.raises(sp.InvalidParameter, match=re.escape(message)):
        find("nvme", found)
