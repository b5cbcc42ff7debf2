"""The benchmarks of memory tiers, run for real on small sizes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.cli import main
from stratoperf.running.contributions import Claim
from stratoperf.running.planner import make_plan, make_request
from stratoperf.running.registry import REGISTRY
from stratoperf.stratoswarm.memory import operations
from wording import mentions, says

MIB = 1 << 20
VARIABLE = "STRATOPERF_TIER_DIRECTORIES"


def has_disk() -> bool:
    return any(tier.is_disk and tier.reason is None for tier in sp.memory.tiers())


def run(name: str, **params: Any) -> sp.Run:
    return sp.run(name, preset="ci", params=params, duration_s=0.1, warmup_s=0.01)


@pytest.mark.skipif(not has_disk(), reason="needs a disk with a directory to write to")
def test_migration_is_measured_against_the_published_claim(tmp_path: Path) -> None:
    measured = sp.run(
        "memory.migrate",
        preset="ci",
        params={"route": ["cpu:disk", "disk:cpu"], "size": [MIB, 4096]},
        duration_s=0.2,
        output=tmp_path,
    )
    assert [result.status for result in measured.results] == ["ok"] * 4
    for result in measured.results:
        target = result.metrics["latency"].target
        assert target is not None
        assert (target.verdict == "not-measured") == (result.params["size"] == 4096)
        assert result.verification is not None
        assert result.verification.passed
    (saved,) = tmp_path.glob("memory.migrate*.json")
    for result in sp.load(saved).results:
        assert result.details["calibration"]["threads"] >= 1
        assert "cpu0" in result.details["tiers"]
    claim = next(row for row in sp.claims(measured).rows if row.component == "Memory migration")
    assert claim.measured is not None
    assert claim.unit == "ms"


def test_a_tier_that_is_not_here_is_skipped_with_the_reason(without_cuda: str) -> None:
    for name, params in (
        ("memory.migrate", {"route": ["cpu:gpu", "cpu:nvme7"], "size": 4096}),
        ("memory.bandwidth", {"transfer": "copy:cpu:gpu"}),
        ("memory.allocate", {"tier": "gpu", "mode": "pool"}),
    ):
        for result in run(name, **params).results:
            assert result.status == "skipped"
            assert result.reason is not None
            assert without_cuda in result.reason or "nvme7" in result.reason


@pytest.mark.parametrize(
    ("name", "params", "parts"),
    [
        ("memory.migrate", {"route": "cpu", "size": 4096}, ("route:", "'cpu'", "SOURCE:TARGET")),
        ("memory.migrate", {"route": "cpu:tape"}, ("route:", "'tape' in 'cpu:tape'", "kinds: gpu")),
        ("memory.migrate", {"route": "cpu:cpu"}, ("route:", "'cpu:cpu'", "two tiers")),
        ("memory.migrate", {"size": -1}, ("size:", "-1", "4096 to 1073741824")),
        ("memory.migrate", {"size": 4095}, ("size:", "4095", "4096")),
        ("memory.migrate", {"size": 1 << 31}, ("size:", "2147483648", "to 1073741824")),
        ("memory.bandwidth", {"size": 0}, ("size:", "0", "4096")),
        ("memory.bandwidth", {"size": 10000}, ("size:", "10000", "multiple of 4096", "8192")),
        ("memory.bandwidth", {"transfer": "read"}, ("transfer:", "'read'", "read:TIER")),
        ("memory.bandwidth", {"transfer": "copy:cpu"}, ("transfer:", "copy:SOURCE:TARGET")),
        ("memory.bandwidth", {"transfer": "raed:cpu"}, ("transfer:", "'raed' in", "mean 'read'")),
        ("memory.bandwidth", {"transfer": "read:cpu0-hug"}, ("transfer:", "'cpu0-hug' in", "cpu0")),
        ("memory.bandwidth", {"transfer": "write:gpu"}, ("access:", "write", "'copy' between")),
        ("memory.allocate", {"tier": "tape"}, ("tier:", "'tape'", "kinds: gpu, cpu", "cpu0")),
        ("memory.allocate", {"tier": "cpu", "mode": "quick"}, ("mode:", "'quick'", "pool")),
        ("memory.page_fault", {"kind": "soft"}, ("kind:", "'soft'", "minor")),
    ],
)
def test_what_no_machine_can_measure_is_wrong_usage_and_nothing_is_run(
    name: str, params: dict[str, Any], parts: tuple[str, ...]
) -> None:
    with pytest.raises(sp.InvalidParameter, match=says(*parts)):
        run(name, **params)


def test_an_entry_of_the_environment_that_assigns_nothing_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "nonsense")
    with pytest.raises(sp.InvalidParameter, match=says(VARIABLE, "nonsense")):
        run("memory.migrate", route="cpu:disk")


def test_the_command_line_ends_with_the_exit_code_of_wrong_usage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ending:
        main(["run", "memory.migrate", "--ci", "--param", "route=cpu:tape"])
    assert ending.value.code == 2
    assert re.search(says("route", "'tape' in 'cpu:tape'"), capsys.readouterr().err)
    assert list(tmp_path.glob("results/*.json")) == []


def test_a_route_to_itself_fails_by_its_name() -> None:
    (result,) = run("memory.migrate", route="cpu:cpu0", size=4096).results
    assert result.status == "failed"
    assert mentions(result.reason or "", "target", "cpu0")


def test_allocation_and_faults_are_measured() -> None:
    pool = run("memory.allocate", tier="cpu").results
    assert [result.status for result in pool] == ["ok", "ok"]
    assert [result.items for result in pool] == [100, 1]
    minor = run("memory.page_fault", kind="minor").results[0]
    assert minor.status == "ok"
    assert minor.verification is not None
    assert minor.verification.passed


def test_bandwidth_of_memory_is_measured() -> None:
    results = run("memory.bandwidth", transfer=["read:cpu", "copy:cpu:cpu"], size=4 * MIB).results
    assert [result.status for result in results] == ["ok", "ok"]
    assert [result.items for result in results] == [4 * MIB, 8 * MIB]


def planned_bytes(
    name: str, preset: str = "standard", processes: int | None = None, **params: object
) -> int:
    request = make_request(
        name,
        params,
        preset=preset,
        backend="auto",
        iterations=None,
        duration_s=None,
        warmup_s=None,
        profile=False,
        processes=processes,
    )
    return make_plan(request, REGISTRY, saves=False).bytes


def test_the_plan_shows_the_bytes_before_anything_is_written(without_cuda: str) -> None:
    assert planned_bytes("memory.migrate", route="cpu:huge", size=MIB) == 0
    large = planned_bytes("memory.migrate", route="cpu:disk", size=1 << 30)
    assert large == operations.disk_limits(1 << 30).bytes
    assert large < 8 << 30
    assert planned_bytes("memory.migrate", route="gpu:disk") == 0
    reading, writing = (
        planned_bytes("memory.bandwidth", processes=1, transfer=transfer, size=256 * MIB)
        for transfer in ("copy:disk:cpu", "copy:cpu:disk")
    )
    assert reading < writing
    assert planned_bytes("memory.allocate") == 0
    assert planned_bytes("memory.page_fault", kind="minor") == 0
    assert planned_bytes("memory.page_fault", processes=2, kind="major") == 32 * MIB


def test_a_run_does_not_wear_a_disk_and_a_quick_one_less(without_cuda: str) -> None:
    assert planned_bytes("memory.*") < 100 << 30
    assert planned_bytes("memory.*", preset="quick") < 32 << 30


def test_a_quick_look_leaves_the_largest_blocks_alone_on_a_disk() -> None:
    assert planned_bytes("memory.migrate", preset="quick", route="cpu:disk", size=1 << 30) == 0
    run = sp.run("memory.migrate", preset="quick", params={"route": "cpu:disk", "size": 1 << 30})
    (result,) = run.results
    assert result.status == "skipped"
    assert result.reason is not None
    assert mentions(result.reason, "2 s", "--duration")
    assert operations.disk_limits(1 << 30, duration_s=2.0).iterations > 0
    # Enough for the claim's p95 in six processes, in a second as in ten.
    assert 6 * operations.disk_limits(MIB, duration_s=0.5).iterations > 1000


def test_the_claim_names_its_benchmark() -> None:
    (claim,) = (
        claim for claim in REGISTRY.contributed(Claim) if claim.component == "Memory migration"
    )
    assert claim.benchmark == "memory.migrate"
    assert str(claim.target) == "latency.p95 < 1 ms"
