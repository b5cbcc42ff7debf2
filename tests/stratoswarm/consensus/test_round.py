"""The rules of a round, its bad input and its measurement."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.stratoswarm.consensus import RejectReason, Round, VoteBatch
from wording import says

BACKENDS = ["reference", "cpu"]


def votes(*rows: tuple[int, int, int, int]) -> VoteBatch:
    """Build a batch from rows of (voter, proposal, value, round)."""
    columns = np.array(rows, np.uint32).reshape(-1, 4).T
    return VoteBatch(*(np.ascontiguousarray(column) for column in columns))


@pytest.mark.parametrize("backend", BACKENDS)
class TestRules:
    def test_a_quorum_decides_and_one_vote_less_does_not(self, backend: str) -> None:
        round = Round(nodes=4, proposals=2, backend=backend)
        batch = votes((0, 0, 1, 1), (1, 0, 1, 1), (2, 0, 1, 1), (0, 1, 1, 1), (1, 1, 1, 1))
        decision = round.decide(batch)
        assert decision.decided.tolist() == [1, -1]
        assert decision.tallies.tolist() == [[0, 3], [0, 2]]
        assert decision.accepted == 5

    @pytest.mark.parametrize(
        ("vote", "reason"),
        [
            ((4, 9, 9, 9), RejectReason.UNAUTHORIZED_VOTER),
            ((3, 9, 9, 9), RejectReason.STALE_ROUND),
            ((3, 9, 9, 0), RejectReason.STALE_ROUND),
            ((3, 9, 9, 1), RejectReason.PROPOSAL_OUT_OF_RANGE),
            ((3, 1, 9, 1), RejectReason.VALUE_OUT_OF_RANGE),
        ],
    )
    def test_the_first_reason_that_applies_is_the_one_counted(
        self, backend: str, vote: tuple[int, int, int, int], reason: RejectReason
    ) -> None:
        decision = Round(nodes=4, proposals=2, backend=backend).decide(votes(vote))
        assert {other: count for other, count in decision.rejected.items() if count} == {reason: 1}

    def test_an_equivocator_loses_all_votes_for_the_proposal_and_is_named(
        self, backend: str
    ) -> None:
        round = Round(nodes=4, proposals=2, backend=backend)
        decision = round.decide(
            votes((2, 1, 0, 1), (2, 1, 1, 1), (2, 1, 0, 1), (2, 0, 1, 1), (3, 1, 0, 1))
        )
        assert decision.equivocators.tolist() == [[1, 2]]
        assert decision.equivocating_voters.tolist() == [2]
        assert decision.rejected[RejectReason.EQUIVOCATION] == 3
        assert decision.rejected[RejectReason.DUPLICATE] == 0
        assert decision.tallies.tolist() == [[0, 1], [1, 0]]

    def test_rejected_votes_are_no_evidence_of_equivocation(self, backend: str) -> None:
        decision = Round(nodes=4, proposals=1, backend=backend).decide(
            votes((0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 7, 1))
        )
        assert len(decision.equivocators) == 0
        assert decision.accepted == 1

    def test_of_equal_votes_one_counts(self, backend: str) -> None:
        decision = Round(nodes=1, proposals=1, backend=backend).decide(votes(*[(0, 0, 1, 1)] * 5))
        assert decision.tallies.tolist() == [[0, 1]]
        assert decision.rejected[RejectReason.DUPLICATE] == 4
        assert decision.decided.tolist() == [1]

    def test_an_empty_batch_leaves_everything_undecided(self, backend: str) -> None:
        decision = Round(backend=backend).decide(votes())
        assert (decision.decided == -1).all()
        assert decision.votes == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"nodes": 0}, "nodes"),
        ({"nodes": 1.5}, "nodes"),
        ({"proposals": 0}, "proposals"),
        ({"values": 0}, "values"),
        ({"values": True}, "values"),
        ({"round": -1}, "round"),
        ({"round": 2**32}, "round"),
        ({"nodes": 10, "quorum": 11}, "quorum"),
        ({"nodes": 10, "quorum": 5}, "quorum"),
        ({"threads": 0}, "threads"),
        ({"capacity": -1}, "capacity"),
        ({"nodes": 2**20, "proposals": 2**12}, "proposals"),
        ({"proposals": 2**20, "values": 2**12}, "values"),
        ({"backend": "gpu"}, "backend"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=rf"^{named}: "):
        Round(**arguments)


def test_cuda_is_unavailable_with_the_reason(without_cuda: str) -> None:
    with pytest.raises(sp.BackendUnavailable, match=without_cuda):
        Round(backend="cuda")


def test_something_else_than_a_batch_is_refused() -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^batch: expected a VoteBatch, got list"):
        Round().decide(cast(VoteBatch, [1, 2]))


@pytest.mark.parametrize("batches", [[], [votes()]])
def test_an_operation_needs_votes(batches: list[VoteBatch]) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^batches: "):
        Round().operation(batches)


def test_a_round_used_by_two_threads_at_once_says_so_and_stays_right() -> None:
    batch = VoteBatch.generate(400_000, proposals=4000, byzantine=0.2)
    round = Round(proposals=4000, backend="cpu")
    expected = round.decide(batch)
    refused = 0
    wrong = 0

    def decide() -> None:
        nonlocal refused, wrong
        # On one busy CPU they rarely meet.
        while refused < 10 and time.monotonic() < end:
            try:
                wrong += round.decide(batch) != expected
            except RuntimeError as error:
                refused += "own Round" in str(error)

    end = time.monotonic() + 60
    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused > 0
    assert wrong == 0


def test_decisions_compare_and_show_themselves() -> None:
    batch = VoteBatch.generate(500, byzantine=0.3)
    first, second = (Round(proposals=5, backend=backend).decide(batch) for backend in BACKENDS)
    assert first == second
    assert first != Round(proposals=5).decide(votes())
    assert "decided" in repr(first)
    assert "<caption>Decision</caption>" in first._repr_html_()
    with pytest.raises(ValueError, match="read-only"):
        first.decided[0] = 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_measured_round_is_verified(backend: str) -> None:
    batches = [VoteBatch.generate(300, byzantine=0.33, seed=seed) for seed in range(4)]
    operation = Round(proposals=3, backend=backend).operation(batches)
    measured = sp.measure(operation, warmup_s=0.01, max_duration_s=0.2, min_iterations=50)
    assert measured.items == 300
    assert measured.item_unit == "votes"
    if backend == "cpu":
        assert measured.verification is not None
        assert measured.verification.checked == 4


def test_verification_compares_what_the_timed_loop_produced() -> None:
    batch = VoteBatch.generate(300, byzantine=0.33)
    value = batch.value.copy()
    operation = Round(proposals=3, backend="cpu").operation(
        [VoteBatch(batch.voter, batch.proposal, value, batch.round)]
    )
    verify = operation.verify
    assert verify is not None
    assert verify() == 0  # nothing ran yet
    operation.verify = None
    sp.measure(operation, warmup_s=0, max_duration_s=0.05, min_iterations=3)
    value[:] = 1 - value % 2  # the reference sees other votes than the timed loop did
    with pytest.raises(sp.VerificationFailed, match=says("batch 0", "reference")):
        verify()
