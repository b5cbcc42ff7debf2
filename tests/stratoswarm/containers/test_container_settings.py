"""The setting that is in the way is named with its remedy, and limits are read before any harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from stratoperf.authoring import SystemFiles
from stratoperf.stratoswarm.containers.agents import limits_below
from stratoperf.stratoswarm.containers.availability import blocking_setting, remedy_for
from wording import mentions


def system(root: Path, **files: str) -> SystemFiles:
    for name, text in files.items():
        path = root / "proc" / "sys" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return SystemFiles(root)


@pytest.mark.parametrize(
    ("name", "value", "blocks_root"),
    [
        ("user__max_user_namespaces", "0", True),
        ("kernel__unprivileged_userns_clone", "0", False),
        ("kernel__apparmor_restrict_unprivileged_userns", "1", False),
    ],
)
def test_a_setting_that_blocks_is_named_with_the_command_that_changes_it(
    tmp_path: Path, name: str, value: str, blocks_root: bool
) -> None:
    files = system(tmp_path, **{name: value})
    blocked = blocking_setting(files, is_root=False)
    assert blocked is not None
    assert not blocked.usable
    setting = name.rpartition("__")[2]
    assert mentions(blocked.reason, setting, value)
    assert mentions(blocked.remedy, "sysctl -w", setting)
    assert (blocking_setting(files, is_root=True) is not None) == blocks_root


def test_settings_that_allow_it_block_nobody(tmp_path: Path) -> None:
    files = system(
        tmp_path,
        user__max_user_namespaces="9000",
        kernel__unprivileged_userns_clone="1",
        kernel__apparmor_restrict_unprivileged_userns="0",
    )
    assert blocking_setting(files, is_root=False) is None


@pytest.mark.parametrize(
    ("line", "is_mask"),
    [
        ("30 25 0:1 / /proc/kcore rw - tmpfs tmpfs rw", True),
        ("30 25 0:1 / /proc/sys ro - proc proc rw", True),
        ("30 25 0:1 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw", False),
        ("30 25 0:1 / /proc rw - proc proc rw", False),
        ("30 25 0:1 / /data/proc/x rw - tmpfs tmpfs rw", False),
    ],
)
def test_a_mask_over_proc_is_named(tmp_path: Path, line: str, is_mask: bool) -> None:
    info = tmp_path / "proc" / "self" / "mountinfo"
    info.parent.mkdir(parents=True)
    info.write_text(f"22 27 0:21 / / rw - ext4 /dev/vda rw\n{line}\n")
    blocked = blocking_setting(SystemFiles(tmp_path), is_root=True)
    assert (blocked is not None) == is_mask
    if blocked is not None:
        assert mentions(blocked.reason, line.split()[4])


def test_limits_of_the_machine_are_read_before_a_population_grows(tmp_path: Path) -> None:
    files = system(
        tmp_path,
        kernel__pid_max="4000",
        user__max_net_namespaces="100",
        user__max_pid_namespaces="100000",
    )
    shared = limits_below(files, 5000, shared=True)
    assert len(shared) == 1
    assert mentions(shared[0], "kernel.pid_max", "4000", "5000", "sysctl")
    own = limits_below(files, 5000, shared=False)
    assert any(mentions(sentence, "user.max_net_namespaces", "100") for sentence in own)
    assert limits_below(files, 10, shared=True) == []


def test_limits_of_control_groups_are_read_before_a_population_grows(tmp_path: Path) -> None:
    for path, text in {
        "proc/self/cgroup": "8:pids:/outer/inner\n0::/\n",
        "sys/fs/cgroup/pids/outer/inner/pids.max": "max",
        "sys/fs/cgroup/pids/outer/pids.max": "120",
        "sys/fs/cgroup/pids/outer/pids.current": "30",
        "proc/cgroups": "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t4\t65500\t1\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    files = SystemFiles(tmp_path)
    (sentence,) = limits_below(files, 87, shared=True)
    assert mentions(sentence, "outer/pids.max", "90", "87", "91")
    assert limits_below(files, 30, shared=True, limited=True) == []
    (sentence,) = limits_below(files, 40, shared=True, limited=True)
    assert mentions(sentence, "memory control groups", "65500", "35", "limits")


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("clone: No space left on device", "user.max_"),
        ("clone: Resource temporarily unavailable", "pid_max"),
        ("mkdir /sys/fs/cgroup/x: Permission denied", "limits"),
        ("clone3 into the control group: Operation not supported", "favordynmods"),
        ("unshare of the cgroup namespace: Operation not permitted", "run as root"),
        ("fsopen proc: Function not implemented", "Linux 5.12"),
        ("socketpair: Too many open files", "ulimit"),
    ],
)
def test_a_refused_step_comes_with_a_remedy(message: str, remedy: str) -> None:
    assert remedy in remedy_for(message)
