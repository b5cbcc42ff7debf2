"""Faked machines: trees of kernel files that the monitor reads in place of the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Tree = Callable[[Mapping[str, str]], Path]

XEON_CPUINFO = """\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Gold 6448Y
cpu MHz\t\t: 2100.000
flags\t\t: fpu sse4_2 avx avx2 fma bmi2 avx512f constant_tsc nonstop_tsc aperfmperf
"""

XEON = {
    "/proc/cpuinfo": XEON_CPUINFO,
    "/proc/meminfo": "MemTotal: 1000 kB\nMemAvailable: 600 kB\nSwapTotal: 100 kB\nSwapFree: 40 kB\n"
    "HugePages_Total: 3\nHugePages_Free: 2\nHugepagesize: 2048 kB\n",
    "/proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/sda1 isolcpus=2,3 mitigations=off quiet",
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n',
    "/sys/devices/system/cpu/online": "0-3",
    "/sys/devices/system/cpu/isolated": "2-3",
    **{
        f"/sys/devices/system/cpu/cpu{cpu}/topology/core_cpus_list": "0-1" if cpu < 2 else "2-3"
        for cpu in range(4)
    },
    **{
        f"/sys/devices/system/cpu/cpu{cpu}/cpufreq/{name}": value
        for cpu in range(4)
        for name, value in {
            "scaling_governor": "powersave",
            "scaling_driver": "intel_pstate",
            "cpuinfo_min_freq": "800000",
            "cpuinfo_max_freq": "4100000",
            "base_frequency": "2100000",
            "scaling_cur_freq": "3900000",
        }.items()
    },
    **{
        f"/sys/devices/system/cpu/cpu{cpu}/cache/index0/{name}": value
        for cpu in range(4)
        for name, value in {
            "level": "1",
            "type": "Data",
            "size": "48K",
            "shared_cpu_list": "0-1",
        }.items()
    },
    "/sys/devices/system/cpu/intel_pstate/no_turbo": "0",
    "/sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet",
}

RASPBERRY = {
    "/proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32\n"
    "CPU implementer\t: 0x41\nCPU part\t: 0xd08\n\n"
    "processor\t: 1\nCPU part\t: 0xd08\n\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n",
    "/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "/sys/devices/platform/soc/soc:firmware/get_throttled": "5",
}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return a function that writes files below a new root and returns the root."""

    def write(files: Mapping[str, str]) -> Path:
        root = tmp_path / "root"
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            path = root / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content + "\n")
        return root

    return write


@pytest.fixture
def xeon_files() -> dict[str, str]:
    """The files of an Intel server with every noisy setting on."""
    return dict(XEON)


@pytest.fixture
def xeon(tree: Tree) -> Path:
    return tree(XEON)


@pytest.fixture
def raspberry(tree: Tree) -> Path:
    return tree(RASPBERRY)


@pytest.fixture
def bare(tree: Tree) -> Path:
    """A container that hides every file."""
    return tree({})
