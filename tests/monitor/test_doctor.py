from __future__ import annotations

import re
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from stratoperf.monitor import Check, diagnose, namespaces
from stratoperf.monitor.files import SystemFiles
from stratoperf.running import REGISTRY, DoctorCheck
from stratoperf.running.doctor_checks import findings
from wording import mentions

Tree = Callable[[Mapping[str, str]], Path]


def examine(root: Path, output: Path | str = "results") -> dict[str, Check]:
    further = findings(REGISTRY.contributed(DoctorCheck), root)
    checks = diagnose(root, output=output, window_s=0.01, further=further)
    return {check.name: check for check in checks}


def test_the_doctor_examines_this_machine() -> None:
    checks = diagnose(window_s=0.01)
    assert {check.topic for check in checks} == {"measures", "noise", "limits"}
    assert len({check.name for check in checks}) == len(checks)


def test_the_doctor_watches_for_competition_while_it_does_its_other_work() -> None:
    def slow() -> Iterator[Check]:
        time.sleep(0.3)
        yield Check(name="slow", status="ok", detail="done", topic="measures")

    checks = {check.name: check for check in diagnose(window_s=0.01, further=slow())}
    assert checks["slow"].detail == "done"
    seconds = re.search(r"(?:for|within) ([\d.]+) s", checks["competition"].detail)
    assert seconds is not None
    assert float(seconds[1]) >= 0.3


def test_whatever_is_wrong_has_a_remedy(xeon: Path, bare: Path) -> None:
    for root in (xeon, bare):
        for check in examine(root).values():
            if check.status in ("warning", "missing"):
                assert check.remedy, check.name


def test_whatever_is_well_needs_no_remedy(xeon: Path) -> None:
    assert all(c.remedy is None for c in examine(xeon).values() if c.status == "ok")


def test_a_machine_that_shows_no_files_is_examined_too(bare: Path) -> None:
    checks = examine(bare)
    assert checks["CPU governor"].status == "unknown"
    assert checks["backend cuda"].status == "missing"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("CPU governor", "echo performance | sudo tee"),
        ("turbo", "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"),
        ("SMT", "echo off | sudo tee /sys/devices/system/cpu/smt/control"),
        ("transparent huge pages", "echo madvise | sudo tee"),
        ("swap", "sudo swapoff -a"),
        ("kernel clock", "echo tsc | sudo tee"),
    ],
)
def test_noise_comes_with_the_command_that_mends_it(xeon: Path, name: str, remedy: str) -> None:
    check = examine(xeon)[name]
    assert check.status == "warning"
    assert check.remedy is not None
    assert check.remedy.startswith(remedy)


def test_turbo_of_other_drivers_has_its_own_switch(tree: Tree) -> None:
    root = tree({"/sys/devices/system/cpu/cpufreq/boost": "1"})
    remedy = examine(root)["turbo"].remedy
    assert remedy == "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"


def test_a_quiet_machine_is_told_so(tree: Tree, xeon_files: dict[str, str]) -> None:
    quiet = {
        "/sys/devices/system/cpu/intel_pstate/no_turbo": "1",
        "/sys/devices/system/cpu/online": "0,2",
        "/sys/devices/system/cpu/cpu2/topology/core_cpus_list": "2",
        "/sys/devices/system/cpu/cpu0/topology/core_cpus_list": "0",
        "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    }
    checks = examine(tree({**xeon_files, **quiet}))
    for name in ("turbo", "SMT", "transparent huge pages", "virtualization"):
        assert checks[name].status == "ok", name


def test_a_missing_kernel_module_comes_with_modprobe(bare: Path) -> None:
    check = examine(bare)["module swarm_guard"]
    assert check.status == "missing"
    assert check.remedy == "sudo modprobe swarm_guard"


def test_a_file_in_place_of_a_kernel_module_s_device_is_not_taken_for_it(tree: Tree) -> None:
    # tests/stratoswarm/kernel_modules/test_devices.py has one that is found.
    check = examine(tree({"/dev/swarm_guard": ""}))["module swarm_guard"]
    assert check.status == "missing"
    assert mentions(check.detail, "/dev/swarm_guard", "character device")


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("/proc/sys/user/max_user_namespaces", "0", "sudo sysctl user.max_user_namespaces=10000"),
        (
            "/proc/sys/kernel/unprivileged_userns_clone",
            "0",
            "sudo sysctl kernel.unprivileged_userns_clone=1",
        ),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ],
)
def test_refused_namespaces_are_traced_to_the_setting(
    tree: Tree, setting: str, value: str, remedy: str
) -> None:
    assert namespaces.remedy(SystemFiles(tree({setting: value}))) == remedy


def test_refused_namespaces_without_a_setting_blame_the_container(bare: Path) -> None:
    assert "seccomp" in namespaces.remedy(SystemFiles(bare))


def test_a_low_limit_comes_with_the_command_that_raises_it(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, resource.RLIM_INFINITY))
    checks = examine(bare)
    assert checks["open files"].remedy == "ulimit -n 16384"
    assert checks["locked memory"].remedy == "ulimit -l 65536"


def test_a_limit_above_the_users_reach_needs_root(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))
    assert examine(bare)["open files"].remedy == "sudo prlimit --pid $$ --nofile=16384:16384"


def test_the_disk_of_a_folder_that_does_not_exist_yet_is_checked(
    bare: Path, tmp_path: Path
) -> None:
    output = tmp_path / "not" / "yet"
    check = examine(bare, output)[f"disk at {output}"]
    assert check.status in ("ok", "warning")
    assert "free" in check.detail


def test_battery_power_is_told(tree: Tree) -> None:
    adapter = "/sys/class/power_supply/AC"
    on_battery = examine(tree({f"{adapter}/type": "Mains", f"{adapter}/online": "0"}))
    assert on_battery["power"].status == "warning"


def test_the_doctor_writes_nothing(xeon: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in xeon.rglob("*") if path.is_file()}
    examine(xeon, tmp_path / "results")
    assert {path: path.read_bytes() for path in xeon.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "results").exists()
