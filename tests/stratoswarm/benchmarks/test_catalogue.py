"""The benchmarks of the suite, run for real."""

from __future__ import annotations

from typing import Any

import pytest

import stratoperf as sp


def test_consensus_is_measured_and_verified() -> None:
    run = sp.run("consensus.round", preset="ci", backend="cpu", params={"votes": [1, 10_000]})
    assert [result.status for result in run.results] == ["ok"] * 6
    for result in run.results:
        assert result.verification is not None
        assert result.verification.checked == {1: 2000, 10_000: 16}[result.params["votes"]]
        assert result.verification.passed
        assert result.item_unit == "votes"
        assert result.items == result.params["votes"]
        target = result.metrics["latency"].target
        assert target is not None
        assert target.verdict == "not-measured"


def test_the_reference_is_measured_only_when_it_is_asked_for() -> None:
    params = {"votes": 100, "byzantine": 0.1}
    run = sp.run("consensus.round", preset="ci", backend="reference", params=params)
    assert [result.backend for result in run.results] == ["reference"]
    automatic = sp.run("consensus.round", preset="ci", params=params)
    assert "reference" not in {result.backend for result in automatic.results}


def test_a_gpu_that_is_not_there_is_skipped_with_the_reason(without_cuda: str) -> None:
    run = sp.run("consensus.round", preset="ci", params={"votes": 1, "byzantine": 0.0})
    skipped = [result for result in run.results if result.status == "skipped"]
    assert [result.params["mode"] for result in skipped] == [
        "auto",
        "launch",
        "graph",
        "persistent",
    ]
    assert {(result.backend, result.reason) for result in skipped} == {("cuda", without_cuda)}


def test_the_clock_is_measured() -> None:
    (result,) = sp.run("clock.overhead", preset="ci").results
    assert result.status == "ok"
    assert result.verification is not None
    assert result.verification.passed


@pytest.mark.parametrize(
    ("name", "params", "says"),
    [
        ("consensus.round", {"votes": 0}, "votes: .*got 0"),
        ("consensus.round", {"votes": 100_000_000_000}, "votes: .*got 100000000000"),
        ("consensus.round", {"votes": 2_147_483_601}, "votes: .*2147483600"),
        ("consensus.round", {"votes": 1.5}, r"votes.*got 1\.5"),
        ("consensus.round", {"votes": "many"}, "votes.*got 'many'"),
        ("consensus.round", {"byzantine": 1.0}, r"byzantine: .*got 1\.0"),
        ("consensus.round", {"byzantine": -0.1}, r"byzantine: .*got -0\.1"),
        ("consensus.round", {"byzantine": "few"}, "byzantine.*got 'few'"),
        ("consensus.round", {"mode": "lunch"}, "mode: .*'lunch'.*launch"),
        ("consensus.fill", {"votes": -1}, "votes: .*got -1"),
        ("consensus.resident", {"votes": 10**15}, "votes: .*got 1000000000000000"),
    ],
)
def test_a_round_that_no_machine_can_decide_is_refused_before_anything_is_measured(
    name: str, params: dict[str, Any], says: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=says):
        sp.run(name, preset="ci", params=params)
