"""Vote batches: their arrays, the generator and recorded traces."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stratoperf as sp
from repetitions import repetitions
from stratoperf.stratoswarm.consensus import RejectReason, Round, VoteBatch
from wording import says

COLUMNS = ["voter", "proposal", "value", "round", "timestamp"]


def arrays(length: int = 6) -> dict[str, Any]:
    columns: dict[str, Any] = {name: np.zeros(length, np.uint32) for name in COLUMNS}
    columns["timestamp"] = np.zeros(length, np.uint64)
    return columns


class TestArrays:
    def test_are_taken_without_a_copy_and_read_only(self) -> None:
        columns = arrays()
        batch = VoteBatch(**columns)
        assert np.shares_memory(batch.voter, columns["voter"])
        with pytest.raises(ValueError, match="read-only"):
            batch.voter[0] = 1
        columns["voter"][0] = 1  # the caller's own array stays as it was

    def test_timestamps_may_be_left_out(self) -> None:
        columns = arrays()
        del columns["timestamp"]
        assert VoteBatch(**columns).timestamp.tolist() == [0] * 6

    def test_may_be_empty(self) -> None:
        assert len(VoteBatch(**arrays(0))) == 0

    @pytest.mark.parametrize("name", COLUMNS)
    @pytest.mark.parametrize(
        "wrong",
        [
            np.zeros(6, np.int64),
            np.zeros(6, np.float32),
            np.zeros(6, ">u4"),
            np.zeros((2, 3), np.uint32),
            np.zeros(12, np.uint32)[::2],
            np.frombuffer(bytes(41), np.uint8)[1:41].view(np.uint8),
            [0] * 6,
        ],
        ids=["int64", "float32", "byte order", "2-D", "strided", "uint8", "list"],
    )
    def test_that_do_not_fit_are_named_with_the_fix(self, name: str, wrong: Any) -> None:
        with pytest.raises(sp.InvalidParameter, match=rf"^{name}: .*np\.ascontiguousarray\({name}"):
            VoteBatch(**{**arrays(), name: wrong})

    @pytest.mark.parametrize("name", COLUMNS[1:])
    def test_of_unequal_length_are_named(self, name: str) -> None:
        with pytest.raises(sp.InvalidParameter, match=rf"^{name}: expected as many .*\(6\), got 5"):
            VoteBatch(**{**arrays(), name: arrays(5)[name]})


class TestGenerator:
    @settings(max_examples=repetitions(60), deadline=None)
    @given(
        votes=st.integers(0, 900),
        nodes=st.integers(1, 120),
        byzantine=st.floats(0, 1, exclude_max=True),
        proposals=st.none() | st.integers(1, 20),
        values=st.integers(1, 5),
        round=st.integers(0, 2**32 - 1),
    )
    def test_makes_exactly_the_votes_asked_for(self, votes: int, **rest: Any) -> None:
        batch = VoteBatch.generate(votes, **rest)
        assert len(batch) == votes
        assert batch == VoteBatch.generate(votes, **rest)
        assert (np.diff(batch.timestamp.astype(np.int64)) >= 0).all()

    def test_without_faulty_nodes_rejects_nothing_and_decides_most(self) -> None:
        decision = Round(proposals=100).decide(VoteBatch.generate(10_000))
        assert decision.accepted == 10_000
        assert (decision.decided >= 0).sum() >= 75

    def test_shows_every_behavior_about_equally_often(self) -> None:
        decision = Round(proposals=100).decide(VoteBatch.generate(10_000, byzantine=0.33, seed=3))
        share = 3300 / 5
        for reason in (
            RejectReason.UNAUTHORIZED_VOTER,
            RejectReason.STALE_ROUND,
            RejectReason.VALUE_OUT_OF_RANGE,
            RejectReason.EQUIVOCATION,
        ):
            # Five standard deviations of a binomial count with p = 1/5.
            assert abs(decision.rejected[reason] - share) < 5 * (3300 * 0.2 * 0.8) ** 0.5
        # Of each pair of equal votes one counts.
        duplicates = 2 * decision.rejected[RejectReason.DUPLICATE]
        assert abs(duplicates - share) < 5 * (3300 * 0.2 * 0.8) ** 0.5
        assert len(decision.equivocating_voters) <= 33
        assert (decision.decided >= 0).sum() >= 75

    def test_only_faulty_nodes_misbehave(self) -> None:
        batch = VoteBatch.generate(10_000, byzantine=0.1)
        stale = np.unique(batch.voter[batch.round != 1])
        assert len(stale[stale < 100]) == 10

    def test_shuffles_the_votes_and_depends_on_the_seed(self) -> None:
        batch = VoteBatch.generate(1000)
        assert (np.diff(batch.proposal.astype(np.int64)) < 0).any()
        assert batch != VoteBatch.generate(1000, seed=1)

    @pytest.mark.parametrize(
        "many", [{"nodes": 10**8}, {"nodes": 2**31}, {"nodes": 1, "proposals": 2**31}]
    )
    @pytest.mark.timing
    def test_few_votes_of_many_nodes_or_proposals_take_no_time(self, many: dict[str, int]) -> None:
        begin = time.monotonic()
        batch = VoteBatch.generate(20, **many)
        assert time.monotonic() - begin < 10
        assert len(batch) == 20
        assert batch == VoteBatch.generate(20, **many)

    def test_of_many_nodes_the_given_share_is_faulty_and_none_votes_twice(self) -> None:
        honest = VoteBatch.generate(20_000, nodes=10**8)
        assert len(np.unique(honest.voter)) == 20_000
        faulty = VoteBatch.generate(20_000, nodes=10**8, byzantine=0.3)
        wrong = (faulty.round != 1) | (faulty.value >= 2) | (faulty.voter >= 10**8)
        # Three of the five behaviors show in a vote by itself.
        assert abs(wrong.mean() - 0.3 * 3 / 5) < 0.02

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ({"votes": -1}, "votes"),
            ({"votes": 1.5}, "votes"),
            ({"nodes": 0}, "nodes"),
            ({"byzantine": 1}, "byzantine"),
            ({"byzantine": -0.1}, "byzantine"),
            ({"byzantine": float("nan")}, "byzantine"),
            ({"byzantine": "0.1"}, "byzantine"),
            ({"proposals": 0}, "proposals"),
            ({"values": 0}, "values"),
            ({"round": 2**32}, "round"),
            ({"seed": -1}, "seed"),
        ],
    )
    def test_names_a_wrong_argument(self, arguments: dict[str, Any], named: str) -> None:
        with pytest.raises(sp.InvalidParameter, match=rf"^{named}: "):
            VoteBatch.generate(**{"votes": 10, **arguments})


class TestTraces:
    @pytest.mark.parametrize("suffix", [".npz", ".csv"])
    @pytest.mark.parametrize("votes", [0, 1, 500])
    def test_come_back_as_they_were_saved(self, tmp_path: Path, suffix: str, votes: int) -> None:
        batch = VoteBatch.generate(votes, byzantine=0.3)
        path = tmp_path / f"trace{suffix}"
        batch.save(path)
        assert VoteBatch.load(path) == batch

    def test_may_lack_timestamps(self, tmp_path: Path) -> None:
        path = tmp_path / "trace.csv"
        path.write_text("proposal,voter,value,round\n3,2,1,1\n\n")
        batch = VoteBatch.load(str(path))
        assert (batch.voter.tolist(), batch.proposal.tolist()) == ([2], [3])
        assert batch.timestamp.tolist() == [0]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "column 'voter' is missing"),
            ("voter,proposal,value\n", "column 'round' is missing"),
            ("voter,proposal,valu,round\n", "unknown column 'valu'; did you mean 'value'"),
            ("voter,voter,proposal,value,round\n", "column 'voter' occurs twice"),
            ("voter,proposal,value,round\n1,1,1,1\n1,1,1\n", "line 3: expected 4 fields .* got 3"),
            ("voter,proposal,value,round\n1,x,1,1\n", "line 2, column 'proposal': .* got 'x'"),
            ("voter,proposal,value,round\n1,1,-1,1\n", "line 2, column 'value': .* got '-1'"),
            ("voter,proposal,value,round\n4294967296,1,1,1\n", "line 2, column 'voter'"),
            ("voter,proposal,value,round\n1,1,1.0,1\n", "line 2, column 'value'"),
        ],
    )
    def test_in_csv_that_are_wrong_name_file_and_place(
        self, tmp_path: Path, text: str, message: str
    ) -> None:
        path = tmp_path / "trace.csv"
        path.write_text(text)
        with pytest.raises(sp.InvalidParameter, match=rf"trace\.csv: {message}"):
            VoteBatch.load(path)

    def test_in_npz_that_are_wrong_name_file_and_array(self, tmp_path: Path) -> None:
        path = tmp_path / "trace.npz"
        np.savez(path, **{**arrays(), "value": np.zeros(6)})
        with pytest.raises(sp.InvalidParameter, match=r"trace\.npz: array 'value' has dtype float"):
            VoteBatch.load(path)
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(sp.InvalidParameter, match=says("trace.npz:", "readable")):
            VoteBatch.load(path)
        np.savez(path, voter=np.zeros(6, np.uint32))
        with pytest.raises(sp.InvalidParameter, match=r"trace\.npz: array 'proposal' is missing"):
            VoteBatch.load(path)

    def test_in_another_format_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(sp.InvalidParameter, match=says(".npz", ".csv")):
            VoteBatch.load(tmp_path / "trace.json")
        with pytest.raises(FileNotFoundError):
            VoteBatch.load(tmp_path / "trace.csv")


def test_batches_and_decisions_are_compared_by_content_and_not_hashable() -> None:
    batch = VoteBatch.generate(10)
    for value in (batch, Round().decide(batch)):
        with pytest.raises(TypeError, match="unhashable"):
            hash(value)
