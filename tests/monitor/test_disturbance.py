"""Whether a measurement was disturbed from outside, or waited for itself."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratoperf.monitor import NoiseProbe
from stratoperf.monitor.disturbance import DISTURBED_PERCENT, LEAST_TICKS, disturbance
from stratoperf.monitor.noise_warnings import noise_warnings
from stratoperf.monitor.processes import TICK_S
from wording import mentions

TIMEOUT_S = 60
ATTEMPTS = 3

QUIET: dict[str, Any] = {
    "seconds": 10.0,
    "steal_percent": 0.0,
    "cpu_seconds": 9.0,
    "waiting_seconds": 0.01,
    "waiting_percent": 0.1,
    "others_seconds": 0.1,
    "idle_percent": 50.0,
    "other_load": 0.01,
    "involuntary_switches": 10,
    "voluntary_switches": 10,
    "page_faults": {"minor": 100, "major": 0},
    "cpu_frequency": None,
    "throttling": {"thermal_events": None, "thermal_ms": None, "quota_ms": None, "pi_flags": None},
    "load_average": [0.1, 0.1, 0.1],
    "gpu_utilization": None,
}

OUTSIDE: list[tuple[str, dict[str, Any], str]] = [
    (
        "a busy loop on each CPU",
        {"cpu_seconds": 6.1, "waiting_seconds": 3.9, "others_seconds": 13.0},
        "waited for a CPU 39.0 % of the time while other processes were running",
    ),
    (
        "a busy loop beside eight threads on two CPUs",
        {"cpu_seconds": 17.8, "waiting_seconds": 62.2, "others_seconds": 2.2},
        "waited for a CPU 11.0 % of the time",
    ),
    ("steal", {"cpu_seconds": 9.5, "steal_percent": 20.0}, "the hypervisor took the CPU away"),
    ("a CPU quota", {"throttling": {"quota_ms": 900.0}}, "the CPU quota stopped the process"),
    (
        "heat for a tenth of the time",
        {"throttling": {"thermal_events": 4, "thermal_ms": 1000}},
        "throttled by heat 4 times",
    ),
    ("heat of unknown length", {"throttling": {"thermal_events": 4}}, "throttled by heat 4 times"),
    ("a weak power supply", {"throttling": {"pi_flags": 0b1}}, "under-voltage"),
    ("a faster machine", {"reference": {"integer_change": -0.3}}, "speed changed by 30 %"),
    ("a slower machine", {"reference": {"integer_change": 0.81}}, "speed changed by 81 %"),
    (
        "children that ended on a full machine",
        {"waiting_seconds": None, "others_seconds": 12.0, "cpu_seconds": 8.0, "idle_percent": 0.0},
        "no CPU was idle, and other processes had one 60.0 % of the time",
    ),
    (
        "small losses that add up",
        {"steal_percent": 3.0, "waiting_seconds": 0.3, "others_seconds": 2.0},
        "hypervisor",
    ),
]

ITS_OWN: list[tuple[str, dict[str, Any]]] = [
    ("a quiet machine", {}),
    (
        "eight threads on two CPUs",
        {"cpu_seconds": 19.8, "waiting_seconds": 60.0, "others_seconds": 0.1, "idle_percent": 0.0},
    ),
    (
        "eight threads pinned to a CPU that nobody else uses",
        {"cpu_seconds": 9.9, "waiting_seconds": 70.0, "others_seconds": 0.05, "idle_percent": 0.0},
    ),
    (
        "a busy loop on another CPU, for which nobody waited",
        {"others_seconds": 10.0, "waiting_seconds": 0.05},
    ),
    (
        "fdatasync, which sleeps and seldom waits",
        {"cpu_seconds": 0.2, "waiting_seconds": 0.1, "others_seconds": 1.0, "idle_percent": 80.0},
    ),
    (
        "fdatasync under a steal that takes a fifth of a small CPU time",
        {"cpu_seconds": 0.3, "steal_percent": 20.0},
    ),
    ("page faults that read a file", {"page_faults": {"minor": 10**6, "major": 10**4}}),
    ("a lock", {"voluntary_switches": 10**6, "cpu_seconds": 1.0}),
    ("turbo lost to its own load", {"cpu_frequency": {"start_mhz": 4e3, "end_mhz": 3e3}}),
    (
        "children that end and keep all CPUs busy",
        {
            "waiting_seconds": None,
            "cpu_seconds": 19.5,
            "others_seconds": 0.3,
            "idle_percent": 0.0,
        },
    ),
    (
        "children that end on a machine with idle CPUs",
        {"waiting_seconds": None, "others_seconds": 10.0, "idle_percent": 40.0},
    ),
    ("a moment under a quota", {"throttling": {"quota_ms": 80.0}}),
    ("a moment of heat", {"throttling": {"thermal_events": 1, "thermal_ms": 20}}),
    ("a steady reference", {"reference": {"integer_change": 0.01}}),
    ("two steps of the clock rate", {"reference": {"integer_change": -0.071}}),
    ("a reference without a change", {"reference": {"integer_change": None}}),
    ("a short part, in ticks of the counters", {"seconds": 0.05, "cpu_seconds": 0.05}),
]


@pytest.mark.parametrize(
    ("change", "words"), [case[1:] for case in OUTSIDE], ids=[case[0] for case in OUTSIDE]
)
def test_what_comes_from_outside_disturbs(change: dict[str, Any], words: str) -> None:
    assert words in (disturbance({**QUIET, **change}) or "")


@pytest.mark.parametrize("change", [case[1] for case in ITS_OWN], ids=[case[0] for case in ITS_OWN])
def test_what_the_system_under_test_does_itself_is_not_explained_away(
    change: dict[str, Any],
) -> None:
    assert disturbance({**QUIET, **change}) is None


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"steal_percent": 50.0},
        {"seconds": 10.0, "waiting_percent": 50.0, "other_load": 2.0},
        dict.fromkeys(QUIET),
        {**dict.fromkeys(QUIET), "reference": None},
    ],
)
def test_an_environment_that_does_not_tell_disturbs_nothing(environment: dict[str, Any]) -> None:
    assert disturbance(environment) is None


shares = st.floats(0, 100)
seconds = st.floats(0, 1e3)


@given(
    st.fixed_dictionaries(
        {
            "seconds": st.floats(1e-3, 1e3),
            "steal_percent": st.none() | shares,
            "cpu_seconds": seconds,
            "waiting_seconds": st.none() | seconds,
            "others_seconds": st.none() | seconds,
            "idle_percent": st.none() | shares,
            "throttling": st.fixed_dictionaries(
                {
                    "thermal_events": st.none() | st.integers(0, 9),
                    "thermal_ms": st.none() | seconds,
                    "quota_ms": st.none() | seconds,
                    "pi_flags": st.none() | st.integers(0, 1 << 20),
                }
            ),
            "reference": st.fixed_dictionaries({"integer_change": st.none() | st.floats(-0.9, 9)}),
        }
    )
)
def test_whatever_disturbs_is_warned_of_in_the_same_words(change: dict[str, Any]) -> None:
    environment = {**QUIET, **change}
    disturbed = disturbance(environment)
    if disturbed is not None:
        assert set(disturbed.split("; ")) <= set(noise_warnings(environment))


@given(
    waiting=st.floats(0, 100),
    others=st.floats(0, 10),
    cpu=st.floats(0, 20),
)
def test_others_are_blamed_for_no_more_than_they_had(
    waiting: float, others: float, cpu: float
) -> None:
    environment = {
        **QUIET,
        "cpu_seconds": cpu,
        "waiting_seconds": waiting,
        "others_seconds": others,
    }
    if disturbance(environment) is not None:
        most = 100 * min(waiting, others) / max(QUIET["seconds"], cpu + min(waiting, others))
        assert most > DISTURBED_PERCENT


# Real processes. A program measures itself on one CPU; the test says what runs beside it.
PROGRAM = """
import hashlib, json, os, subprocess, sys, threading, time
from stratoperf.monitor import NoiseProbe
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
data = bytes(1 << 20)
def work(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        hashlib.sha256(data).digest()
"""
ALONE = "with NoiseProbe() as probe: work(0.5)"
THREADS = """
with NoiseProbe() as probe:
    threads = [threading.Thread(target=work, args=(0.7,), daemon=True) for _ in range(6)]
    for thread in threads: thread.start()
    time.sleep(0.5)
"""
CHILDREN = """
loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
try:
    with NoiseProbe() as probe: work(0.5)
finally:
    for loop in loops: loop.kill()
    for loop in loops: loop.wait()
"""
ENDED_THREADS = """
with NoiseProbe() as probe:
    threads = [threading.Thread(target=work, args=(0.5,)) for _ in range(6)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""
OWN_KINDS = {"threads": THREADS, "children": CHILDREN, "threads that ended": ENDED_THREADS}


def measured(program: str) -> dict[str, Any]:
    """Return the environment that a program in a process of its own saw."""
    source = PROGRAM + textwrap.dedent(program) + "\nprint(json.dumps(probe.environment))\n"
    command = [sys.executable, "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    environment: dict[str, Any] = json.loads(done.stdout)
    return environment


@contextmanager
def busy_loop_beside() -> Iterator[None]:
    """Keep the CPU busy that the program measures itself on."""
    source = "import os\nos.sched_setaffinity(0, {max(os.sched_getaffinity(0))})\nwhile True: pass"
    loop = subprocess.Popen([sys.executable, "-c", source])
    try:
        yield
    finally:
        loop.kill()
        loop.wait()


def lost(environment: Mapping[str, Any]) -> float:
    """Return the share of the one CPU that others had."""
    return float(environment["others_seconds"] / environment["seconds"])


def test_a_busy_loop_in_another_process_disturbs() -> None:
    with busy_loop_beside():
        environment = measured(ALONE)
    if environment["others_seconds"] is None:
        pytest.skip("needs /proc/stat")
    assert mentions(disturbance(environment) or "", "processes", "running"), environment


@pytest.mark.parametrize("program", OWN_KINDS.values(), ids=OWN_KINDS)
def test_own_threads_and_children_that_oversubscribe_disturb_nothing(program: str) -> None:
    for _ in range(ATTEMPTS):
        environment = measured(program)
        if environment["others_seconds"] is None:
            pytest.skip("needs /proc/stat")
        waited = environment["waiting_percent"]
        # Four and more want one CPU, so they wait for each other most of the time.
        assert waited is None or waited > 50, environment
        if lost(environment) < DISTURBED_PERCENT / 100:
            # Steal and throttling of the machine that the tests run on are no matter here.
            words = disturbance(environment) or ""
            assert "other processes" not in words, environment
            return
    # The machine was never quiet; then others are blamed for what they had, and no more.
    assert lost(environment) < 1


@pytest.mark.parametrize("program", OWN_KINDS.values(), ids=OWN_KINDS)
def test_a_busy_loop_beside_own_threads_and_children_disturbs(program: str) -> None:
    with busy_loop_beside():
        environment = measured(program)
    if environment["others_seconds"] is None:
        pytest.skip("needs /proc/stat")
    assert "other processes" in (disturbance(environment) or ""), environment


LEAST_S = LEAST_TICKS * TICK_S


def had_by_others(environment: Mapping[str, Any]) -> float:
    """Return the seconds that other processes had a CPU while this one waited for it."""
    others, waited = environment["others_seconds"], environment["waiting_seconds"]
    return min(value for value in (others, waited, math.inf) if value is not None)


def had_by_the_hypervisor(environment: Mapping[str, Any]) -> float:
    """Return the seconds that the hypervisor took from this process, of all that it took."""
    part, own = (environment["steal_percent"] or 0.0) / 100, environment["cpu_seconds"]
    seconds: float = environment["seconds"]
    return seconds * part if own is None or part == 1 else own * part / (1 - part)


def check_nobody_is_blamed_for_ticks(environment: Mapping[str, Any]) -> None:
    """Whom a measurement blames must have had at least two ticks of the kernel's counters."""
    words = disturbance(environment) or ""
    if "other processes" in words:
        assert had_by_others(environment) >= LEAST_S, environment
    if "hypervisor" in words:
        assert had_by_the_hypervisor(environment) >= LEAST_S, environment


SHORT = {"seconds": 0.1, "cpu_seconds": 0.1}
WAITED = {"waiting_seconds": 1.0, "others_seconds": 1.0}
BEYOND = 1.01 * LEAST_S
BELOW = 0.99 * LEAST_S


@pytest.mark.parametrize(
    ("change", "blamed"),
    [
        (WAITED | {"others_seconds": BEYOND}, "other processes"),
        (WAITED | {"others_seconds": BELOW}, None),
        (WAITED | {"waiting_seconds": BEYOND}, "other processes"),
        (WAITED | {"waiting_seconds": BELOW}, None),
        (
            {"waiting_seconds": None, "others_seconds": BEYOND, "idle_percent": 0.0},
            "other processes",
        ),
        ({"waiting_seconds": None, "others_seconds": BELOW, "idle_percent": 0.0}, None),
        ({"steal_percent": 100 * BEYOND / (0.1 + BEYOND)}, "hypervisor"),
        ({"steal_percent": 100 * BELOW / (0.1 + BELOW)}, None),
        ({"cpu_seconds": None, "steal_percent": 100 * BEYOND / 0.1}, "hypervisor"),
        ({"cpu_seconds": None, "steal_percent": 100 * BELOW / 0.1}, None),
    ],
)
def test_a_short_measurement_blames_from_two_ticks_on(
    change: dict[str, Any], blamed: str | None
) -> None:
    environment = {**QUIET, **SHORT, **change}
    words = disturbance(environment)
    assert (words is None) if blamed is None else blamed in (words or "")
    check_nobody_is_blamed_for_ticks(environment)


few_ticks = st.floats(0, 4 * LEAST_S)


@given(
    st.fixed_dictionaries(
        {
            "seconds": st.floats(1e-4, 0.5),
            "cpu_seconds": st.none() | st.floats(0, 0.5),
            "steal_percent": st.none() | shares,
            "waiting_seconds": st.none() | few_ticks,
            "others_seconds": st.none() | few_ticks,
            "idle_percent": st.none() | shares,
        }
    )
)
def test_nobody_is_blamed_for_less_than_two_ticks(change: dict[str, Any]) -> None:
    check_nobody_is_blamed_for_ticks({**QUIET, **change})


def test_a_short_measurement_is_not_judged_by_the_ticks_of_the_counters() -> None:
    # Beside other jobs even this takes ticks, and then others are rightly blamed for theirs.
    with NoiseProbe() as probe:
        pass
    check_nobody_is_blamed_for_ticks(probe.environment)
