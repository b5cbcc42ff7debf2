"""Every backend, instruction set and number of threads agrees with the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repetitions import repetitions
from stratoperf._core import consensus as native
from stratoperf.stratoswarm.consensus import Round, VoteBatch, default_quorum, tolerated_faults

INSTRUCTION_SETS = native.instruction_sets()


@dataclass(frozen=True)
class Case:
    """A round and a batch for it."""

    nodes: int
    proposals: int
    values: int
    round: int
    quorum: int | None
    batch: VoteBatch

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of `Round`."""
        return {
            "nodes": self.nodes,
            "proposals": self.proposals,
            "values": self.values,
            "round": self.round,
            "quorum": self.quorum,
        }


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any n, few to many values, votes that collide, lie at the bounds or far beyond them."""
    nodes = draw(st.integers(1, 140))
    proposals = draw(st.integers(1, 12))
    values = draw(st.sampled_from([1, 2, 3, 4, 5, 9, 16, 17, 33, 100]))
    current = draw(st.sampled_from([0, 1, 7, 2**32 - 1]))
    quorum = draw(st.none() | st.integers(nodes // 2 + 1, nodes))
    votes = draw(st.sampled_from([0, 1, 2, 15, 16, 17, 63, 64, 65, 255, 256, 257, 700, 1500]))
    # Few voters and values make equivocation and duplicates; many make tallies.
    voters = draw(st.integers(1, nodes))
    wanted = draw(st.integers(1, values))
    honest_share = draw(st.sampled_from([0.0, 0.5, 0.9, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def column(below: int, bound: int) -> npt.NDArray[np.uint32]:
        wild = rng.choice([0, bound - 1, bound, bound + 1, 2**31, 2**32 - 1], size=votes)
        right = rng.integers(below, size=votes)
        return np.where(rng.random(votes) < honest_share, right, wild % 2**32).astype(np.uint32)

    rounds = np.where(rng.random(votes) < 0.9, current, (current + 1) % 2**32).astype(np.uint32)
    batch = VoteBatch(
        column(voters, nodes), column(proposals, proposals), column(wanted, values), rounds
    )
    return Case(nodes, proposals, values, current, quorum, batch)


@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
@settings(max_examples=repetitions(150), deadline=None)
@given(case=cases(), seed=st.integers(0, 1000))
def test_every_instruction_set_agrees_with_the_reference_in_any_order(
    instruction_set: str, case: Case, seed: int
) -> None:
    expected = Round(**case.arguments, backend="reference").decide(case.batch)
    ours = Round(**case.arguments, backend="cpu", _instruction_set=instruction_set)

    assert ours.decide(case.batch).difference(expected) is None
    assert ours.decide(case.batch.shuffled(seed)).difference(expected) is None
    assert expected.votes == len(case.batch)


@settings(max_examples=repetitions(80), deadline=None)
@given(first=cases(), second=cases())
def test_a_round_keeps_nothing_of_the_batch_before(first: Case, second: Case) -> None:
    ours = Round(**first.arguments, backend="cpu")
    reference = Round(**first.arguments, backend="reference")
    for batch in (first.batch, second.batch, VoteBatch.generate(3), first.batch):
        assert ours.decide(batch).difference(reference.decide(batch)) is None


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("values", [1, 2, 4, 40])
def test_threads_agree_with_the_reference(threads: int, values: int) -> None:
    batch = VoteBatch.generate(140_000, nodes=70, byzantine=0.4, values=values, seed=values)
    parameters: dict[str, Any] = {"nodes": 70, "proposals": 1990, "values": values}
    expected = Round(**parameters, backend="reference").decide(batch)

    ours = Round(**parameters, backend="cpu", threads=threads)

    assert ours.decide(batch).difference(expected) is None
    assert ours.decide(batch.shuffled(9)).difference(expected) is None


@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
def test_one_voter_that_sends_all_votes_overflows_no_counter(instruction_set: str) -> None:
    votes = 70_000
    zeros = np.zeros(votes, np.uint32)
    value = zeros.copy()
    value[-1] = 1
    for last in (0, 1):
        value[-1] = last
        batch = VoteBatch(zeros, zeros, value.copy(), zeros)
        case: dict[str, Any] = {"nodes": 4, "proposals": 3, "values": 4, "round": 0}
        expected = Round(**case, backend="reference").decide(batch)
        ours = Round(**case, backend="cpu", _instruction_set=instruction_set).decide(batch)
        assert ours.difference(expected) is None


@given(nodes=st.integers(1, 10_000))
def test_two_default_quorums_share_an_honest_node_and_honest_nodes_can_form_one(nodes: int) -> None:
    quorum, faulty = default_quorum(nodes), tolerated_faults(nodes)
    assert 2 * quorum - nodes > faulty
    assert quorum <= nodes - faulty
    if nodes % 3 == 1:
        assert quorum == 2 * faulty + 1
