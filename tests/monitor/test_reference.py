from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from stratoperf import _core
from stratoperf.errors import InvalidParameter
from stratoperf.monitor import ReferenceProbe
from stratoperf.monitor.reference import BUFFER_BYTES, Reading, between, read

Tree = Callable[[Mapping[str, str]], Path]

WORDS_PER_LINE = 16


MASK = (1 << 64) - 1


def integer_work(seed: int, steps: int) -> int:
    """Do the same work in plain Python."""
    total = 0
    for offset in (0, 2, 4, 6):
        state = ((seed | 1) + offset) & MASK
        for _ in range(steps):
            state ^= (state << 13) & MASK
            state ^= state >> 7
            state ^= (state << 17) & MASK
        total += state
    return total & MASK


def memory_work(words: list[int], state: int, steps: int) -> int:
    """Do the same work in plain Python."""
    for _ in range(steps):
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 + 0x9E3779B97F4A7C15) & MASK
        place = (state >> 33) % (len(words) // WORDS_PER_LINE) * WORDS_PER_LINE
        state = (state + words[place]) & MASK
    return state


@pytest.mark.parametrize("steps", [0, 1, 17, 1000])
@pytest.mark.parametrize("state", [0, 1, 4, (1 << 64) - 1])
def test_the_integer_work_is_done(state: int, steps: int) -> None:
    assert _core.reference.integer_chains(state, steps) == integer_work(state, steps)


@pytest.mark.parametrize("count", [16, 64, 1 << 15])
def test_the_memory_work_is_done(count: int) -> None:
    words = np.random.default_rng(count).integers(0, 1 << 64, count, np.uint64)
    assert _core.reference.memory_chain(words, 5, 1000) == memory_work(words.tolist(), 5, 1000)


@pytest.mark.parametrize("count", [0, 8, 24, 33])
def test_memory_of_another_length_is_refused(count: int) -> None:
    with pytest.raises(InvalidParameter, match=rf"words.*16.*{count}"):
        _core.reference.memory_chain(np.zeros(count, np.uint64), 5, 10)


def test_a_reading_is_positive_and_complete() -> None:
    reading = read()
    assert reading.integer_ns > 0
    assert reading.memory_ns is not None
    assert reading.memory_ns > 0
    assert reading.memory_bytes == BUFFER_BYTES
    assert not reading.reason


def test_readings_repeat() -> None:
    readings = [read() for _ in range(5)]
    integer = [reading.integer_ns for reading in readings]
    # A machine may halve its clock meanwhile; a reading that an interruption spoiled is worse.
    assert max(integer) < 4 * min(integer)
    memory = [reading.memory_ns or 0 for reading in readings]
    assert max(memory) < 10 * min(memory)


def test_a_small_machine_gives_a_small_buffer(tree: Tree) -> None:
    reading = read(tree({"/proc/meminfo": "MemTotal: 65536 kB\n"}))
    assert reading.memory_bytes == 2 << 20
    assert reading.memory_ns is not None


def test_a_group_with_little_memory_gives_a_small_buffer(tree: Tree) -> None:
    group = {"/proc/self/cgroup": "0::/job", "/sys/fs/cgroup/job/memory.max": str(32 << 20)}
    assert read(tree(group)).memory_bytes == 1 << 20


def test_a_machine_without_memory_to_spare_gives_the_integer_speed(tree: Tree) -> None:
    reading = read(tree({"/proc/meminfo": "MemTotal: 16384 kB\n"}))
    assert reading.integer_ns > 0
    assert (reading.memory_ns, reading.memory_bytes) == (None, 0)
    assert reading.reason


UNDER_A_LIMIT = """
import json, resource, sys
from stratoperf.monitor.reference import read
read()
used = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if "VmSize" in line)
limit = used + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(json.dumps(read()))
"""


@pytest.mark.skipif(
    "asan" in os.environ.get("LD_PRELOAD", ""), reason="sanitizers need memory of their own"
)
@pytest.mark.parametrize(("spare", "expected"), [(3 << 20, 2 << 20), (256 << 10, 0)])
def test_an_address_space_that_is_short_gives_less(spare: int, expected: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNDER_A_LIMIT, str(spare)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    reading = Reading(*json.loads(done.stdout))
    assert reading.integer_ns > 0
    # What the interpreter needs meanwhile comes out of what is spare.
    assert reading.memory_bytes <= expected
    if expected == 0:
        assert reading.memory_ns is None
        assert "memory" in reading.reason


def test_a_probe_reads_before_and_after() -> None:
    with ReferenceProbe() as probe:
        assert probe.environment == {}
    assert probe.environment["integer_ns"] > 0
    assert probe.environment["memory_ns"] > 0
    assert probe.environment["integer_change"] > -1
    assert probe.environment["memory_change"] > -1
    json.dumps(probe.environment, allow_nan=False)


@pytest.mark.skipif(
    "libasan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer keeps what is freed"
)
def test_the_probe_leaves_no_thread_and_no_buffer() -> None:
    def mapped() -> int:
        rows = Path("/proc/self/statm").read_text(encoding="ascii").split()
        return int(rows[0])

    with ReferenceProbe():
        pass
    threads, pages = threading.active_count(), mapped()
    with ReferenceProbe():
        assert threading.active_count() == threads
        assert mapped() - pages < BUFFER_BYTES // 4096
    assert mapped() - pages < BUFFER_BYTES // 4096


def test_what_was_read_is_kept_when_the_block_is_interrupted() -> None:
    probe = ReferenceProbe()
    with pytest.raises(KeyboardInterrupt), probe:
        raise KeyboardInterrupt
    assert probe.environment["integer_ns"] > 0


def test_a_probe_that_was_not_entered_says_so() -> None:
    with pytest.raises(RuntimeError, match="without being entered"):
        ReferenceProbe().__exit__(None, None, None)


def test_two_readings_give_their_mean_and_the_change() -> None:
    tree = between(Reading(2.0, 100.0, 8, ""), Reading(3.0, 90.0, 8, ""))
    assert tree == {
        "integer_ns": 2.5,
        "memory_ns": 95.0,
        "integer_change": pytest.approx(0.5),
        "memory_change": pytest.approx(-0.1),
        "memory_bytes": 8,
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Reading(2.0, None, 0, "none"), Reading(2.0, 100.0, 8, "")),
        (Reading(2.0, 100.0, 8, ""), Reading(2.0, None, 0, "none")),
        (Reading(2.0, 100.0, 8, ""), Reading(2.0, 100.0, 4, "")),
    ],
)
def test_memory_that_was_not_read_twice_alike_is_unknown(before: Reading, after: Reading) -> None:
    tree = between(before, after)
    assert (tree["memory_ns"], tree["memory_change"]) == (None, None)
    assert tree["reason"]
    assert tree["integer_ns"] == 2.0
