from __future__ import annotations

import json
import mmap
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from stratoperf.monitor import NoiseProbe
from stratoperf.monitor.counters import frequency_mhz, ticks
from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.noise_warnings import noise_warnings
from stratoperf.monitor.processes import TICK_S

Tree = Callable[[Mapping[str, str]], Path]


STAT = (
    "cpu  100 0 50 800 10 5 5 30 7 0\ncpu0 60 0 30 300 5 5 0 10 7 0\ncpu1 40 0 20 500 5 0 5 20 0 0"
)

QUIET: dict[str, Any] = {
    "seconds": 10.0,
    "steal_percent": 0.0,
    "cpu_seconds": 9.0,
    "waiting_seconds": 0.0,
    "waiting_percent": 0.0,
    "others_seconds": 0.0,
    "idle_percent": 50.0,
    "other_load": 0.0,
    "involuntary_switches": 0,
    "voluntary_switches": 0,
    "page_faults": {"minor": 0, "major": 0},
    "cpu_frequency": None,
    "throttling": {"thermal_events": None, "thermal_ms": None, "quota_ms": None, "pi_flags": None},
    "load_average": None,
    "gpu_utilization": None,
}


def stat(busy: int, idle: int, stolen: int) -> str:
    cpus = [f"cpu{number} {busy} 0 0 {idle} 0 0 0 {stolen} 0 0" for number in range(64)]
    return "\n".join([f"cpu  {busy} 0 0 {idle} 0 0 0 {stolen} 0 0", *cpus])


def test_ticks_are_summed_over_the_chosen_cpus() -> None:
    chosen = ticks(STAT, [1])
    assert chosen is not None
    assert chosen.busy == pytest.approx(65 * TICK_S)
    assert chosen.user == pytest.approx(40 * TICK_S)
    assert chosen.interrupts == pytest.approx(5 * TICK_S)
    assert chosen.idle == pytest.approx(505 * TICK_S)
    assert chosen.stolen == pytest.approx(20 * TICK_S)


def test_ticks_of_the_machine_come_from_its_own_line() -> None:
    machine = ticks(STAT, None)
    assert machine is not None
    assert (machine.busy, machine.idle) == pytest.approx((160 * TICK_S, 810 * TICK_S))
    assert machine.stolen == pytest.approx(30 * TICK_S)


@pytest.mark.parametrize("text", [None, "", "cpu0 1 2 3", "intr 5"])
def test_ticks_are_unknown_where_the_file_does_not_tell(text: str | None) -> None:
    assert ticks(text, [0]) is None


def test_idle_time_does_not_hide_stolen_time(tree: Tree) -> None:
    root = tree({"/proc/stat": stat(busy=0, idle=0, stolen=0)})
    with NoiseProbe(root) as probe:
        tree({"/proc/stat": stat(busy=90, idle=900, stolen=10)})
    assert probe.environment["steal_percent"] == pytest.approx(10)


def test_a_block_shorter_than_a_tick_has_an_unknown_steal(tree: Tree) -> None:
    root = tree({"/proc/stat": stat(busy=5, idle=5, stolen=5)})
    with NoiseProbe(root) as probe:
        pass
    assert probe.environment["steal_percent"] is None


def test_a_machine_that_shows_no_files_still_counts_switches_and_faults(tree: Tree) -> None:
    # Fresh pages from the kernel; the allocator might hand out old ones.
    with NoiseProbe(tree({})) as probe, mmap.mmap(-1, 1 << 20) as pages:
        pages.write(b"1" * len(pages))
    assert probe.environment["page_faults"]["minor"] > 0
    assert probe.environment["involuntary_switches"] >= 0
    assert probe.environment["steal_percent"] is None
    assert probe.environment["other_load"] is None
    json.dumps(probe.environment)


def test_faults_of_worker_threads_count() -> None:
    block = 32 << 20

    def work() -> None:
        bytearray(block)

    with NoiseProbe() as probe:
        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
    # Huge pages may back the block: a fault then brings in 2 MiB at once.
    assert probe.environment["page_faults"]["minor"] >= block // (2 << 20)


def test_the_probe_starts_no_thread() -> None:
    before = threading.active_count()
    with NoiseProbe():
        assert threading.active_count() == before


def test_what_was_seen_is_kept_when_the_block_is_interrupted() -> None:
    probe = NoiseProbe()
    with pytest.raises(KeyboardInterrupt), probe:
        raise KeyboardInterrupt
    assert "steal_percent" in probe.environment


def test_a_probe_that_was_not_entered_says_so() -> None:
    with pytest.raises(RuntimeError, match="without being entered"):
        NoiseProbe().__exit__(None, None, None)


def test_the_frequency_comes_from_the_scaling_driver(
    tree: Tree, xeon_files: dict[str, str]
) -> None:
    assert frequency_mhz(SystemFiles(tree(xeon_files)), 0) == 3900


def test_a_nominal_frequency_is_not_taken_for_a_measured_one(tree: Tree) -> None:
    table = "processor: 0\ncpu MHz: 2000\nflags: fpu {}\nprocessor: 1\n"
    counted = tree({"/proc/cpuinfo": table.format("aperfmperf")})
    assert frequency_mhz(SystemFiles(counted), 0) == 2000
    nominal = tree({"/proc/cpuinfo": table.format("hypervisor")})
    assert frequency_mhz(SystemFiles(nominal), 0) is None


def test_a_quiet_measurement_raises_no_warning() -> None:
    assert noise_warnings(QUIET) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steal_percent": 3.21}, "hypervisor took the CPU away for 3.0 %"),
        ({"waiting_seconds": 1.2, "others_seconds": 5.0}, "waited for a CPU 11.8 %"),
        (
            {"waiting_seconds": None, "others_seconds": None, "involuntary_switches": 500},
            "preempted 50 times a second",
        ),
        ({"other_load": 1.5}, "other processes kept 1.5 CPUs busy"),
        ({"page_faults": {"minor": 0, "major": 99}}, "99 page faults waited"),
        ({"cpu_frequency": {"start_mhz": 4000.0, "end_mhz": 3000.0}}, "from 4000 to 3000 MHz"),
        ({"gpu_utilization": {"start_percent": [0.0, 80.0], "end_percent": None}}, "80 % busy"),
        ({"throttling": {"thermal_events": 2}}, "throttled by heat 2 times"),
        ({"throttling": {"quota_ms": 80.0}}, "CPU quota stopped the process for 80 ms"),
        ({"reference": {"integer_change": -0.2}}, "speed changed by 20 %"),
        (
            {"throttling": {"thermal_events": 0, "quota_ms": 0.0, "pi_flags": 0b101}},
            "under-voltage, throttled",
        ),
    ],
)
def test_each_disturbance_is_told(change: dict[str, Any], words: str) -> None:
    (warning,) = noise_warnings({**QUIET, **change})
    assert words in warning


@pytest.mark.parametrize(
    "change",
    [
        # One tick of theft in 50 ms is 20 %, and still only the counter's resolution.
        {"seconds": 0.05, "cpu_seconds": 0.05, "steal_percent": 20.0},
        {"seconds": 0.05, "other_load": 0.5},
        # The CPU wakes up during the warm-up.
        {"cpu_frequency": {"start_mhz": 800.0, "end_mhz": 4000.0}},
        {"page_faults": {"minor": 9999, "major": 3}},
        # Its own threads had the CPUs.
        {"cpu_seconds": 20.0, "waiting_seconds": 60.0, "involuntary_switches": 5000},
    ],
)
def test_what_the_counters_cannot_tell_raises_no_warning(change: dict[str, Any]) -> None:
    assert noise_warnings({**QUIET, **change}) == []


def test_a_raspberry_pi_tells_its_throttling(tree: Tree) -> None:
    root = tree({"/sys/devices/platform/soc/soc:firmware/get_throttled": "50005"})
    with NoiseProbe(root) as probe:
        pass
    assert probe.environment["throttling"]["pi_flags"] == 0x50005
    # Beside what else disturbs the machine that the tests run on.
    assert any("under-voltage" in warning for warning in probe.warnings)


def test_time_under_a_quota_is_told(tree: Tree) -> None:
    group = {"/proc/self/cgroup": "0::/job"}
    root = tree({**group, "/sys/fs/cgroup/job/cpu.stat": "throttled_usec 1000"})
    with NoiseProbe(root) as probe:
        tree({"/sys/fs/cgroup/job/cpu.stat": "throttled_usec 9000"})
    assert probe.environment["throttling"]["quota_ms"] == pytest.approx(8)


def test_heat_is_told_for_the_cpus_that_it_throttled_most(tree: Tree) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    name = "/sys/devices/system/cpu/cpu{}/thermal_throttle/package_throttle_{}"
    root = tree({name.format(cpu, "count"): str(cpu) for cpu in cpus})
    tree({name.format(cpu, "total_time_ms"): "7" for cpu in cpus})
    with NoiseProbe(root) as probe:
        tree({name.format(cpus[-1], "count"): str(cpus[-1] + 3)})
        tree({name.format(cpus[-1], "total_time_ms"): "19"})
    throttling = probe.environment["throttling"]
    assert (throttling["thermal_events"], throttling["thermal_ms"]) == (3, 12)


def test_the_frequency_is_that_of_the_cpu_in_use(tree: Tree) -> None:
    fields = " ".join(["0"] * 36)
    stat_line = f"1 (a name) S) {fields} 1 0"
    frequency = "/sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq"
    root = tree({"/proc/thread-self/stat": stat_line, frequency: "3000000"})
    with NoiseProbe(root) as probe:
        pass
    assert probe.environment["cpu_frequency"] == {
        "start_mhz": 3000,
        "end_mhz": 3000,
        "start_cpu": 1,
        "end_cpu": 1,
    }
