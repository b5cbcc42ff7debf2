from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from stratoperf.monitor import gpu, system
from stratoperf.monitor.cgroup import cpu_quota, memory_limit
from stratoperf.monitor.cpu import cpu
from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.memory import memory
from stratoperf.monitor.virtualization import virtualization

Tree = Callable[[Mapping[str, str]], Path]
CLOCKSOURCE = "/sys/devices/system/clocksource/clocksource0"


def test_the_facts_of_this_machine_can_be_written_as_json() -> None:
    document = json.loads(msgspec.json.encode(system()))
    assert document["python"]["version"] == platform.python_version()
    assert document["cpu"]["architecture"] == os.uname().machine
    assert set(document["clock"]) >= {"source", "frequency_hz", "reason"}
    assert len(document["id"]) == 12


def test_no_name_of_host_or_user_enters_the_facts() -> None:
    text = msgspec.json.encode(system()).decode()
    assert f'"{platform.node()}"' not in text
    assert str(Path.home()) not in text or Path.home() == Path("/")


def test_a_machine_that_shows_no_files_gives_unknowns(bare: Path) -> None:
    info = system(bare)
    assert info.cpu.model is None
    assert info.cpu.governor is None
    assert info.memory.total_bytes is None
    assert info.gpus == []
    assert info.virtualization.hypervisor is None
    assert info.os.name is None


def test_an_intel_server_is_described(xeon: Path) -> None:
    facts = cpu(SystemFiles(xeon))
    assert facts.model == "Intel(R) Xeon(R) Gold 6448Y"
    assert (facts.logical_cores, facts.physical_cores, facts.smt) == (4, 2, True)
    assert (facts.min_mhz, facts.max_mhz, facts.base_mhz) == (800, 4100, 2100)
    assert (facts.governor, facts.turbo, facts.isolated) == ("powersave", True, "2-3")
    assert facts.caches[0].size_bytes == 48 * 1024
    assert facts.caches[0].shared_by == 2
    assert "avx512f" in facts.features


def test_a_raspberry_pi_is_named_from_numbers_and_its_device_tree(raspberry: Path) -> None:
    facts = cpu(SystemFiles(raspberry))
    assert (facts.vendor, facts.model) == ("ARM", "Cortex-A72")
    assert facts.board == "Raspberry Pi 4 Model B Rev 1.4"
    assert facts.features == ["asimd", "crc32"]
    assert facts.turbo is None


def test_memory_is_given_in_bytes(xeon: Path) -> None:
    facts = memory(SystemFiles(xeon))
    assert facts.total_bytes == 1000 * 1024
    assert facts.swap_used_bytes == 60 * 1024
    assert (facts.huge_pages_total, facts.huge_pages_free) == (3, 2)
    assert facts.huge_page_bytes == 2 << 20
    assert facts.transparent_huge_pages == "always"


def test_boot_options_that_bear_on_timing_are_kept_and_others_are_not(xeon: Path) -> None:
    assert system(xeon).kernel.boot_options == ["isolcpus=2,3", "mitigations=off"]


def test_the_id_stays_when_software_and_settings_change(
    tree: Tree, xeon_files: dict[str, str]
) -> None:
    before = system(tree(xeon_files)).id
    governor = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
    after = system(tree({governor: "performance", "/etc/os-release": "ID=fedora"}))
    assert after.id == before


def test_the_id_changes_with_the_hardware(tree: Tree, xeon_files: dict[str, str]) -> None:
    before = system(tree(xeon_files)).id
    assert system(tree({"/sys/devices/system/cpu/online": "0-1"})).id != before


def test_noise_is_told_in_plain_words(xeon: Path) -> None:
    warnings = "\n".join(system(xeon).warnings)
    for word in ("powersave", "turbo is on", "SMT is on", "huge pages", "swapped out", "hpet"):
        assert word in warnings


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"/proc/self/cgroup": "0::/job", "/sys/fs/cgroup/job/cpu.max": "150000 100000"}, 1.5),
        ({"/proc/self/cgroup": "0::/job", "/sys/fs/cgroup/job/cpu.max": "max 100000"}, None),
        # The group's own path is hidden in a container; the mount's root is the group.
        ({"/proc/self/cgroup": "0::/docker/1f", "/sys/fs/cgroup/cpu.max": "50000 100000"}, 0.5),
        (
            {
                "/proc/self/cgroup": "4:cpu,cpuacct:/job",
                "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "200000",
                "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000",
            },
            2.0,
        ),
        ({}, None),
    ],
)
def test_the_cpu_quota_is_found_in_both_hierarchies(
    tree: Tree, files: dict[str, str], limit: float | None
) -> None:
    assert cpu_quota(SystemFiles(tree(files))) == limit


def test_the_lowest_memory_limit_of_the_parents_counts(tree: Tree) -> None:
    root = tree(
        {
            "/proc/self/cgroup": "0::/a/b",
            "/sys/fs/cgroup/a/b/memory.max": "max",
            "/sys/fs/cgroup/a/memory.max": "1048576",
        }
    )
    assert memory_limit(SystemFiles(root)) == 1 << 20


@pytest.mark.parametrize(
    ("files", "hypervisor"),
    [
        ({"/proc/cpuinfo": "flags: fpu hypervisor", "/sys/hypervisor/type": "xen"}, "xen"),
        (
            {
                "/proc/cpuinfo": "flags: fpu hypervisor",
                "/sys/class/dmi/id/sys_vendor": "QEMU",
            },
            "kvm",
        ),
        (
            {
                "/proc/cpuinfo": "flags: fpu hypervisor",
                f"{CLOCKSOURCE}/available_clocksource": "tsc kvm-clock",
            },
            "kvm",
        ),
        ({"/proc/cpuinfo": "flags: fpu hypervisor"}, "unknown"),
        # A remote console named after KVM does not make a machine virtual.
        ({"/proc/cpuinfo": "flags: fpu", "/sys/class/dmi/id/sys_vendor": "KVM switch"}, None),
        ({"/proc/device-tree/hypervisor/compatible": "linux,kvm"}, "kvm"),
    ],
)
def test_the_hypervisor_is_named(tree: Tree, files: dict[str, str], hypervisor: str | None) -> None:
    assert virtualization(SystemFiles(tree(files))).hypervisor == hypervisor


@pytest.mark.parametrize(
    ("files", "container"),
    [
        ({"/.dockerenv": ""}, "docker"),
        ({"/run/.containerenv": ""}, "podman"),
        ({"/run/systemd/container": "systemd-nspawn"}, "systemd-nspawn"),
        ({"/proc/1/environ": "PATH=/bin\0container=lxc\0"}, "lxc"),
        ({"/proc/1/cgroup": "0::/kubepods/besteffort/pod1"}, "kubernetes"),
        ({"/proc/1/cgroup": "0::/init.scope"}, None),
    ],
)
def test_the_container_is_named(tree: Tree, files: dict[str, str], container: str | None) -> None:
    assert virtualization(SystemFiles(tree(files))).container == container


class FakeNvml:
    """Answers like pynvml for one GPU, and fails on every question that it does not know."""

    def __getattr__(self, name: str) -> object:
        answers = {
            "nvmlDeviceGetCount": 1,
            "nvmlDeviceGetHandleByIndex": "handle",
            "nvmlDeviceGetName": b"NVIDIA H200",
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=150 << 30),
            "nvmlDeviceGetCudaComputeCapability": (9, 0),
            "nvmlSystemGetDriverVersion": "580.1",
            "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=37),
        }

        def answer(*_: object) -> object:
            if name not in answers:
                raise RuntimeError("Not Supported")
            return answers[name]

        return answer


def test_a_gpu_is_described_as_far_as_its_driver_answers(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "connection", FakeNvml)
    files = SystemFiles(tree({"/dev/nvidiactl": ""}))
    (device,) = gpu.gpus(files)
    assert device.name == "NVIDIA H200"
    assert device.compute_capability == "9.0"
    assert device.power_limit_watts is None
    assert gpu.utilization(files) == [37.0]


def test_without_a_driver_nvml_is_not_touched(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def touched() -> None:
        raise AssertionError("NVML was opened")

    monkeypatch.setattr(gpu, "connection", touched)
    assert gpu.gpus(SystemFiles(bare)) == []
    assert gpu.utilization(SystemFiles(bare)) is None


def test_a_driver_that_does_not_answer_means_no_gpu(tree: Tree) -> None:
    if gpu.connection() is not None:
        pytest.skip("needs a machine without a working NVIDIA driver")
    assert gpu.gpus(SystemFiles(tree({"/dev/nvidiactl": ""}))) == []
