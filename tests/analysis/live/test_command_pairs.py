"""Pairs of commands, timed as whole processes."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.analysis.comparison import Side
from stratoperf.analysis.live import command_pairs
from stratoperf.analysis.live.command_pairs import MOST_ROUNDS, CommandPairs
from stratoperf.analysis.live.pairs import SideFailed

PATIENCE_S = 60.0
NEVER = math.inf

FINE = sp.Command(("true",))


def shell(script: str) -> sp.Command:
    return sp.Command(("sh", "-c", script))


def pairs(baseline: sp.Command, current: sp.Command, timeout_s: float = PATIENCE_S) -> CommandPairs:
    return CommandPairs({"baseline": baseline, "current": current}, timeout_s)


def test_a_pair_lasts_a_while_even_if_both_sides_finish_instantly() -> None:
    arms = pairs(FINE, FINE).measure("current", 0, verify=True, deadline=NEVER)
    counts = {side: len(arm.latency) for side, arm in arms.items()}
    assert counts["baseline"] == counts["current"]
    assert 1 <= counts["baseline"] <= MOST_ROUNDS
    for arm in arms.values():
        assert (arm.latency > 0).all()
        assert (arm.batch, arm.items, arm.checked) == (1, 1.0, None)
    assert arms["baseline"].process != arms["current"].process
    # The current side went first.
    assert arms["current"].started_ns < arms["baseline"].started_ns


@pytest.mark.parametrize(("first", "order"), [("baseline", "bccbbc"), ("current", "cbbccb")])
def test_the_sides_take_turns_so_that_a_steady_drift_cancels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Side, order: str
) -> None:
    monkeypatch.setattr(command_pairs, "PAIR_S", PATIENCE_S)
    monkeypatch.setattr(command_pairs, "MOST_ROUNDS", 3)
    log = tmp_path / "log"
    baseline, current = (shell(f"printf {letter} >> {log}") for letter in "bc")
    pairs(baseline, current).measure(first, 0, verify=False, deadline=NEVER)
    assert log.read_text() == order


def test_a_command_that_lasts_longer_than_a_pair_runs_once_a_side() -> None:
    slow = shell(f"sleep {2 * command_pairs.PAIR_S}")
    arms = pairs(slow, slow).measure("baseline", 0, verify=False, deadline=NEVER)
    for arm in arms.values():
        assert len(arm.latency) == 1
        assert arm.latency[0] >= 2e9 * command_pairs.PAIR_S


def test_a_command_has_a_directory_and_variables_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "expected").touch()
    command = sp.Command(
        ("/bin/sh", "-c", 'test -e expected -a "$ONE" = 1 -a -z "$HOME"'),
        cwd=str(tmp_path),
        env={"ONE": "1"},
    )
    pairs(command, command).prepare(NEVER)
    with pytest.raises(SideFailed, match="ended with status 1 and said nothing"):
        pairs(sp.Command(command.argv), FINE).prepare(NEVER)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", "ended with status 3 and said nothing"),
        ("echo out; echo 'no disk' >&2; exit 1", "ended with status 1; its last words:\nno disk"),
        ("kill -SEGV $$", "ended with signal SIGSEGV"),
    ],
)
def test_a_command_that_fails_is_told_with_its_side_and_its_last_words(
    script: str, why: str
) -> None:
    with pytest.raises(SideFailed) as caught:
        pairs(FINE, shell(script)).prepare(NEVER)
    assert caught.value.side == "current"
    assert why in str(caught.value)


@pytest.mark.parametrize("script", ["sleep 1000 & wait", "trap '' TERM INT; while :; do :; done"])
def test_a_command_that_hangs_is_killed_at_the_timeout(
    leftovers: Callable[[], None], script: str
) -> None:
    with pytest.raises(SideFailed, match=r"did not end within 0\.1 s and was killed") as caught:
        pairs(shell(script), FINE, timeout_s=0.1).prepare(NEVER)
    assert caught.value.side == "baseline"
    leftovers()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (sp.Command(("/no/such/program",)), "No such file or directory (/no/such/program)"),
        (sp.Command(("/dev",)), "Permission denied (/dev)"),
        (sp.Command(("true",), cwd="/no/such/folder"), "(/no/such/folder)"),
    ],
)
def test_a_command_that_cannot_be_started_is_wrong_usage(command: sp.Command, why: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"current: the command .* cannot be") as caught:
        pairs(FINE, command).prepare(NEVER)
    assert why in str(caught.value)


@pytest.mark.parametrize("argv", [(), "ls -l", ("",), ("ls", 1)])
def test_a_command_is_a_program_with_arguments(argv: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"argv: expected .*Command\.parse"):
        sp.Command(argv)


def test_a_failing_command_ends_the_comparison() -> None:
    with pytest.raises(SideFailed, match=r"current: the command .* ended with status 1") as caught:
        sp.compare_live(FINE, sp.Command(("false",)), duration_s=PATIENCE_S)
    known = caught.value.comparison
    assert known is not None
    assert [failure.side for failure in known.failures] == ["current"]
    assert known.verdict == "inconclusive"


@pytest.mark.timing
def test_a_slower_command_is_found_out() -> None:
    quick, slow = (sp.Command(("sleep", seconds)) for seconds in ("0.01", "0.06"))
    comparison = sp.compare_live(quick, slow, duration_s=20.0, seed=1)
    assert comparison.verdict == "slower"
    (metric,) = comparison.metrics
    assert metric.ratio is not None
    assert metric.ratio.low is not None
    assert metric.ratio.low > 1.05
    assert metric.baseline is not None
    assert metric.baseline.value >= 0.01e9
    assert metric.seconds is not None
    assert metric.seconds < 20
    assert metric.params == {"baseline": "sleep 0.01", "current": "sleep 0.06"}
