"""Rounds on a device agree with the reference, in every mode and for any batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.stratoswarm.consensus import Round, VoteBatch
from wording import says

MODES = ["launch", "graph", "persistent"]


def adversarial(
    votes: int, nodes: int, proposals: int, values: int, honest: float, seed: int
) -> VoteBatch:
    """Return votes for round 1 that collide, lie at the bounds or far beyond them."""
    rng = np.random.default_rng(seed)

    def column(bound: int) -> npt.NDArray[np.uint32]:
        wild = rng.choice([0, bound - 1, bound, 2**31, 2**32 - 1], size=votes)
        right = rng.integers(bound, size=votes)
        return np.where(rng.random(votes) < honest, right, wild).astype(np.uint32)

    rounds = np.where(rng.random(votes) < 0.9, 1, rng.integers(2**32, size=votes))
    return VoteBatch(column(nodes), column(proposals), column(values), rounds.astype(np.uint32))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("device")
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    votes=st.sampled_from([0, 1, 2, 3, 4, 5, 31, 33, 127, 400]),
    nodes=st.integers(1, 80),
    proposals=st.integers(1, 9),
    values=st.integers(1, 40) | st.sampled_from([64, 100]),
    honest=st.sampled_from([0.0, 0.7, 1.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_batch_is_decided_as_by_the_reference_in_any_order(
    mode: str, votes: int, nodes: int, proposals: int, values: int, honest: float, seed: int
) -> None:
    batch = adversarial(votes, nodes, proposals, values, honest, seed)
    size: dict[str, Any] = {"nodes": nodes, "proposals": proposals, "values": values}
    expected = Round(**size, backend="reference").decide(batch)
    ours = Round(**size, backend="cuda", mode=mode)

    assert ours.decide(batch).difference(expected) is None
    assert ours.decide(batch.shuffled(seed % 1000)).difference(expected) is None


@pytest.mark.parametrize("order", ["descending", "random"])
@pytest.mark.parametrize("mode", MODES)
def test_the_order_of_threads_changes_nothing(mode: str, order: str, emulated_cuda: Any) -> None:
    batch = adversarial(600, 50, 5, 3, 0.8, seed=1)
    expected = Round(nodes=50, proposals=5, values=3, backend="reference").decide(batch)
    for seed in range(3):
        emulated_cuda.set_order(order, seed)
        ours = Round(nodes=50, proposals=5, values=3, backend="cuda", mode=mode)
        assert ours.decide(batch).difference(expected) is None


@pytest.mark.parametrize("mode", ["launch", "graph"])
@pytest.mark.parametrize("values", [2, 40])
@pytest.mark.usefixtures("device")
def test_cells_that_do_not_fit_one_block_take_the_whole_device(mode: str, values: int) -> None:
    batch = adversarial(2000, 2100, 40, values, 0.9, seed=3)  # rows in two pieces
    size: dict[str, Any] = {"nodes": 2100, "proposals": 40, "values": values}
    expected = Round(**size, backend="reference").decide(batch)
    ours = Round(**size, backend="cuda", mode=mode)
    for _ in range(2):
        assert ours.decide(batch).difference(expected) is None


@pytest.mark.gpu
@pytest.mark.parametrize("mode", ["auto", "launch", "graph"])
def test_a_million_votes_are_decided_as_on_the_cpu(mode: str) -> None:
    batch = VoteBatch.generate(1_000_000, byzantine=0.33)
    expected = Round(proposals=10_000, backend="cpu").decide(batch)
    ours = Round(proposals=10_000, backend="cuda", mode=mode)
    assert ours.decide(batch).difference(expected) is None
    assert ours.decide(batch.shuffled(1)).difference(expected) is None


@pytest.mark.parametrize("mode", ["auto", *MODES])
@pytest.mark.usefixtures("device")
def test_a_round_keeps_nothing_of_the_batch_before(mode: str) -> None:
    ours = Round(nodes=20, proposals=4, backend="cuda", mode=mode, capacity=100)
    reference = Round(nodes=20, proposals=4, backend="reference")
    for votes, seed in [(90, 1), (7, 2), (300, 3), (0, 4), (301, 5), (90, 1)]:
        batch = adversarial(votes, 20, 4, 2, 0.8, seed)
        assert ours.decide(batch).difference(reference.decide(batch)) is None


@pytest.mark.usefixtures("device")
def test_many_equal_votes_overflow_no_counter() -> None:
    zeros = np.zeros(1000, np.uint32)
    value = zeros.copy()
    for last in (0, 1):
        value[-1] = last
        batch = VoteBatch(zeros, zeros, value.copy(), zeros)
        for nodes in (4, 60_000):  # in one block, and on the whole device
            size: dict[str, Any] = {"nodes": nodes, "proposals": 1, "values": 4, "round": 0}
            expected = Round(**size, backend="reference").decide(batch)
            ours = Round(**size, backend="cuda", mode="graph").decide(batch)
            assert ours.difference(expected) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "graphs"}, says("mode:", "'graphs'", "'graph'")),
        ({"mode": 3}, r"^mode: 3 is unknown"),
        ({"mode": "graph", "backend": "cpu"}, says("mode:", "'graph'", "'cuda'")),
        ({"mode": "launch", "backend": "reference"}, says("mode:", "'launch'", "backend")),
    ],
)
@pytest.mark.usefixtures("device")
def test_a_wrong_mode_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        Round(**{"backend": "cuda", **arguments})


@pytest.mark.usefixtures("device")
def test_the_persistent_mode_tells_how_much_it_can_decide() -> None:
    round = Round(nodes=1000, proposals=1000, backend="cuda", mode="persistent")
    with pytest.raises(sp.InvalidParameter, match=r"^mode: 'persistent'.*use mode='graph'"):
        round.decide(VoteBatch.generate(10))


@pytest.mark.usefixtures("device")
def test_auto_takes_the_device_where_there_is_one() -> None:
    assert Round().backend == "cuda"
