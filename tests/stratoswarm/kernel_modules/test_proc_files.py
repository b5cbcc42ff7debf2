"""The files below /proc/swarm, whatever a module writes into them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf import kernel_modules
from wording import says

STATS = """Agent Statistics
================
Total agents created: 12
Total agents destroyed: 2
Active agents: 10
Total violations: 3
Syscalls intercepted: 18446744073709551615
Syscalls denied: 0
"""

LIST = """Agents
======
ID PID Name State Trust Violations
1 4711 worker ACTIVE 100 0
2 4712 a name with spaces CREATED high 7
"""

TIER = """Tier: nvme
==========
total_pages: 100
hot_pages: 1
cold_pages: 2
migrations_in: 3
migrations_out: 4
total_faults: 5
pressure: 6
another_key: x
"""


def write(root: Path, name: str, content: str | bytes) -> Path:
    path = root / "proc/swarm" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def test_counters_of_agents_are_read(tmp_path: Path) -> None:
    statistics = kernel_modules.agent_statistics(write(tmp_path, "agents/stats", STATS))
    assert (statistics.created, statistics.active) == (12, 10)
    assert statistics.syscalls_intercepted == 2**64 - 1


def test_a_list_of_agents_is_read_with_any_name(tmp_path: Path) -> None:
    first, second = kernel_modules.agents(write(tmp_path, "agents/list", LIST))
    assert (first.id, first.pid, first.name, first.state) == (1, 4711, "worker", "ACTIVE")
    assert (second.name, second.trust, second.violations) == ("a name with spaces", "high", 7)


def test_counters_of_a_tier_are_read(tmp_path: Path) -> None:
    counters = kernel_modules.tier_statistics("nvme", write(tmp_path, "tiers/nvme/stats", TIER))
    assert counters["migrations_out"] == 4
    assert "another_key" not in counters


def test_other_tables_are_read_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, "module_stats", "Modules\n===\nmodules: 3\n")
    write(tmp_path, "gpu/stats", "GPU\n===\nused_memory: 4 KiB: most\n")
    assert kernel_modules.module_statistics(tmp_path) == {"modules": "3"}
    assert kernel_modules.gpu_statistics(tmp_path) == {"used_memory": "4 KiB: most"}


def test_a_missing_file_says_that_the_module_is_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(sp.PrerequisiteMissing, match=says("agents/stats", "stratoperf doctor")):
        kernel_modules.agent_statistics(tmp_path)


def test_an_unknown_tier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("tier:", "'../../etc'")):
        kernel_modules.tier_statistics("../../etc", tmp_path)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("", ("title", "=")),
        ("Total agents created: 1\n", ("title",)),
        (STATS.replace("Active agents: 10\n", ""), ("Active agents", "missing")),
        (STATS.replace("10", "-1"), ("Active agents", "-1")),
        (STATS.replace("10", "1e9"), ("Active agents", "1e9")),
        (STATS.replace("10", "\u0661"), ("Active agents",)),
        (STATS.replace("18446744073709551615", "18446744073709551616"), ("intercepted", "2^64")),
        (STATS.replace("10", "9" * 5000), ("line 5", "1000")),
        (STATS + "Active agents: 11\n", ("line 9", "twice")),
        (STATS + "no colon\n", ("line 9", "key: value")),
        (b"Agent\n=====\n\xff\xfe: \x1b[2J\n", ("missing",)),
    ],
)
def test_hostile_counters_end_in_one_sentence(
    content: str | bytes, parts: tuple[str, ...], tmp_path: Path
) -> None:
    with pytest.raises(sp.SchemaError, match=says("/proc/swarm/agents/stats", *parts)):
        kernel_modules.agent_statistics(write(tmp_path, "agents/stats", content))


@pytest.mark.parametrize("row", ["1 2 name", "x 2 name CREATED 100 0", "1 2 name CREATED 100 -1"])
def test_hostile_lists_end_in_one_sentence(row: str, tmp_path: Path) -> None:
    with pytest.raises(sp.SchemaError, match=says("agents/list", "line 6")):
        kernel_modules.agents(write(tmp_path, "agents/list", f"{LIST}{row}\n"))


def test_a_pipe_in_its_place_is_not_read(tmp_path: Path) -> None:
    import os

    (tmp_path / "proc/swarm").mkdir(parents=True)
    os.mkfifo(tmp_path / "proc/swarm/module_stats")
    with pytest.raises(sp.SchemaError, match=says("named pipe")):
        kernel_modules.module_statistics(tmp_path)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | st.text(alphabet="=: \n19ID", max_size=80).map(str.encode))
def test_no_content_raises_anything_else(content: bytes, tmp_path: Path) -> None:
    root = write(tmp_path, "agents/stats", b"T\n=\n" + content)
    write(tmp_path, "agents/list", b"T\n=\n" + content)
    for read in (kernel_modules.agent_statistics, kernel_modules.agents):
        with contextlib.suppress(sp.SchemaError):
            read(root)
