"""The benchmarks of containers and agents, run for real with few of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.stratoswarm.containers import operations
from wording import says


@pytest.fixture
def _needs_groups() -> None:
    state = sp.containers.available()
    if not state.usable:
        pytest.skip(f"needs containers: {state.reason}; {state.remedy}")
    with sp.containers.Spawner() as spawner:
        try:
            spawner.spawn(limits=operations.MINIMAL_LIMITS)
        except sp.PrerequisiteMissing as error:
            pytest.skip(f"needs control groups: {error}")


def measured(operation: sp.Operation) -> sp.Measurement:
    return sp.measure(
        operation, warmup_s=0, max_duration_s=2, min_iterations=5, precision=10, batch=1
    )


@pytest.mark.usefixtures("_needs_groups")
@pytest.mark.parametrize("way", ["cold", "pooled", "parked"])
def test_each_spawn_reports_and_the_last_is_verified(way: str) -> None:
    with sp.containers.Spawner() as spawner:
        result = measured(operations.spawn(spawner, way))
        assert result.verification is not None
        assert result.verification.passed
        assert result.verification.checked >= result.count
        observed = result.observed
        assert np.asarray(observed["first_instruction"].samples).size >= result.count - 1
        # The parked one is made before the time begins.
        assert ("stage_clone" in observed) == (way != "parked")


@pytest.mark.usefixtures("_needs_groups")
def test_a_paced_spawn_keeps_its_pace() -> None:
    with sp.containers.Spawner() as spawner:
        result = sp.measure(
            operations.spawn(spawner, "parked", pace_s=0.2),
            warmup_s=0,
            max_duration_s=1.0,
            min_iterations=2,
            precision=0,
            batch=1,
        )
        assert 2 <= result.count <= 7


@pytest.mark.usefixtures("_needs_groups")
def test_destroy_and_agents_are_verified() -> None:
    with sp.containers.Spawner() as spawner:
        for operation in (
            operations.destroy(spawner),
            operations.spawn_agent(spawner, sp.containers.Personality([0.5] * 5, bytes(5000))),
        ):
            result = measured(operation)
            assert result.verification is not None
            assert result.verification.checked >= result.count


@pytest.mark.usefixtures("_needs_groups")
@pytest.mark.parametrize("namespaces", ["shared", "own"])
def test_a_population_is_counted_by_its_answers(namespaces: str) -> None:
    run = sp.run(
        "agent.scale",
        preset="ci",
        params={"agents": 20, "namespaces": namespaces},
        processes=1,
        duration_s=0.2,
        warmup_s=0,
    )
    (result,) = run.results
    assert (result.status, result.reason) == ("ok", None)
    live = result.metrics["live_agents"]
    assert live.summary is not None
    assert live.summary.mean == 20
    (row,) = [row for row in sp.claims(run).rows if row.component == "Agent scale"]
    assert row.measured is not None
    assert row.measured.value == 20
    assert row.verdict == "missed"
    assert {"spawn_rate", "memory_per_agent", "exits", "resources_gone"} <= set(result.metrics)
    # The round trip as the population grows.
    assert {f"round_trip_{part}_percent" for part in (10, 50, 100)} <= set(result.metrics)


@pytest.mark.parametrize(
    ("name", "params", "says_what"),
    [
        ("container.spawn", {"way": "warm"}, ("way:", "'warm'")),
        ("container.spawn_paced", {"way": "colder"}, ("way:", "'colder'", "cold")),
        ("agent.spawn", {"image_kib": -1}, ("image_kib:", "-1")),
        ("agent.scale", {"agents": 0}, ("agents:", "0")),
        ("agent.scale", {"namespaces": "all"}, ("namespaces:", "'all'")),
    ],
)
def test_what_no_machine_can_measure_is_refused(
    name: str, params: dict[str, Any], says_what: tuple[str, ...]
) -> None:
    with pytest.raises(sp.InvalidParameter, match=says(*says_what)):
        sp.run(name, preset="ci", params=params)
