"""Pairs of commands, timed as whole processes."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.analysis.comparison import Side
from stratoperf.running.live import timed_commands
from stratoperf.running.live.pair_source import BudgetSpent, SideFailed
from stratoperf.running.live.timed_commands import MOST_ROUNDS, CommandPairs
from wording import mentions, says

PATIENCE_S = 60.0
NEVER = math.inf

FINE = sp.Command(("true",))


def shell(script: str) -> sp.Command:
    return sp.Command(("sh", "-c", script))


def pairs(
    baseline: sp.Command,
    current: sp.Command,
    timeout_s: float = PATIENCE_S,
    prepare: str | None = None,
) -> CommandPairs:
    return CommandPairs({"baseline": baseline, "current": current}, timeout_s, prepare)


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
    monkeypatch.setattr(timed_commands, "PAIR_S", PATIENCE_S)
    monkeypatch.setattr(timed_commands, "MOST_ROUNDS", 3)
    log = tmp_path / "log"
    baseline, current = (shell(f"printf {letter} >> {log}") for letter in "bc")
    pairs(baseline, current).measure(first, 0, verify=False, deadline=NEVER)
    assert log.read_text() == order


def test_a_command_that_lasts_longer_than_a_pair_runs_once_a_side() -> None:
    slow = shell(f"sleep {2 * timed_commands.PAIR_S}")
    arms = pairs(slow, slow).measure("baseline", 0, verify=False, deadline=NEVER)
    for arm in arms.values():
        assert len(arm.latency) == 1
        assert arm.latency[0] >= 2e9 * timed_commands.PAIR_S


def test_a_command_has_a_directory_and_variables_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "expected").touch()
    command = sp.Command(
        ("/bin/sh", "-c", 'test -e expected -a "$ONE" = 1 -a -z "$HOME"'),
        cwd=str(tmp_path),
        env={"ONE": "1"},
    )
    pairs(command, command).prepare(NEVER)
    with pytest.raises(SideFailed, match="status 1"):
        pairs(sp.Command(command.argv), FINE).prepare(NEVER)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", "ended with status 3"),
        ("echo out; echo 'no disk' >&2; exit 1", "ended with status 1; its last output:\nno disk"),
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
    with pytest.raises(SideFailed, match=says("0.1 s", "killed")) as caught:
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


class TestTheEndOfTheBudget:
    def test_ends_a_command_that_still_runs_and_is_no_failure(
        self, leftovers: Callable[[], None]
    ) -> None:
        hangs = shell("sleep 1000 & sleep 1000")
        begin = time.monotonic()
        with pytest.raises(BudgetSpent) as caught:
            pairs(FINE, hangs).prepare(begin + 3.0)
        leftovers()
        assert time.monotonic() - begin < PATIENCE_S / 2
        assert mentions(caught.value.why, "run", "baseline")
        assert mentions(caught.value.why, "current", "side")
        assert caught.value.at_least
        assert 2.5 < caught.value.pair_s <= 3.0

    @pytest.mark.slow("the command that does not fit into the budget takes 6 s")
    def test_is_seen_before_it_comes_where_a_pair_cannot_fit(self) -> None:
        slow = shell("sleep 6")
        begin = time.monotonic()
        with pytest.raises(BudgetSpent) as caught:
            pairs(slow, shell("sleep 1000")).prepare(begin + 11.0)
        assert mentions(caught.value.why, "run", "baseline")
        assert "current" not in caught.value.why
        assert 6.0 <= caught.value.pair_s < 11.0
        assert time.monotonic() - begin < 11.0

    def test_comes_after_a_timeout_that_is_shorter(self) -> None:
        with pytest.raises(SideFailed, match=says("0.1 s", "end")):
            pairs(shell("sleep 1000"), FINE, timeout_s=0.1).prepare(time.monotonic() + PATIENCE_S)

    def test_drops_the_pair_in_progress(self) -> None:
        source = pairs(FINE, shell("sleep 1000"))
        with pytest.raises(BudgetSpent):
            source.measure("current", 0, verify=False, deadline=time.monotonic() + 0.2)

    def test_is_not_passed_by_quick_commands(self) -> None:
        source = pairs(FINE, FINE)
        source.prepare(NEVER)
        deadline = time.monotonic() + PATIENCE_S
        source.measure("current", 0, verify=False, deadline=deadline)
        assert time.monotonic() < deadline


class TestPrepare:
    def test_runs_before_each_run_of_either_side(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        baseline, current = (shell(f"printf {letter} >> {log}") for letter in "bc")
        source = pairs(baseline, current, prepare=f"printf p >> {log}")
        source.prepare(NEVER)
        source.measure("current", 0, verify=False, deadline=NEVER)
        text = log.read_text()
        assert text.startswith("pbpcpcpb")
        assert text.count("p") == text.count("b") + text.count("c")

    def test_is_not_timed(self) -> None:
        source = pairs(FINE, FINE, prepare="sleep 0.5")
        arms = source.measure("baseline", 0, verify=False, deadline=NEVER)
        assert min(arms["baseline"].latency.min(), arms["current"].latency.min()) < 0.5e9

    def test_that_fails_fails_its_side(self) -> None:
        with pytest.raises(SideFailed) as caught:
            pairs(FINE, FINE, prepare="echo no cache; exit 4").prepare(NEVER)
        assert caught.value.side == "baseline"
        assert "the prepare command" in str(caught.value)
        assert "status 4; its last output:\nno cache" in str(caught.value)

    def test_that_hangs_is_killed_at_its_limit_and_at_the_end_of_the_budget(
        self, leftovers: Callable[[], None]
    ) -> None:
        with pytest.raises(SideFailed, match=says("prepare", "command", "0.1 s", "end")):
            pairs(FINE, FINE, timeout_s=0.1, prepare="sleep 1000 & sleep 1000").prepare(NEVER)
        with pytest.raises(BudgetSpent):
            pairs(FINE, FINE, prepare="sleep 1000").prepare(time.monotonic() + 0.1)
        leftovers()


class TestInput:
    def test_is_read_from_the_beginning_by_every_run(self, tmp_path: Path) -> None:
        (tmp_path / "words").write_text("one\ntwo\n")
        (tmp_path / "log").touch()
        script = f'read first; test "$first" = one && cat >> {tmp_path}/log'
        command = sp.Command(("sh", "-c", script), input=str(tmp_path / "words"))
        source = pairs(command, command)
        source.prepare(NEVER)
        arms = source.measure("baseline", 0, verify=False, deadline=NEVER)
        runs = 2 + sum(len(arm.latency) for arm in arms.values())
        assert (tmp_path / "log").read_text() == "two\n" * runs

    def test_that_is_not_there_is_refused_before_anything_runs(self, tmp_path: Path) -> None:
        (tmp_path / "words").touch()
        os.mkfifo(tmp_path / "fifo")
        proof = tmp_path / "it-ran"
        baseline = sp.Command(("touch", str(proof)), input=str(tmp_path / "words"))
        for name, why in (("none", "No such file"), ("fifo", "regular"), (".", "regular")):
            current = sp.Command(("cat",), input=str(tmp_path / name))
            with pytest.raises(sp.InvalidParameter, match=rf"input: .*{why}"):
                sp.compare_live(baseline, current, duration_s=PATIENCE_S)
        assert not proof.exists()

    def test_may_be_made_by_the_setup(self, tmp_path: Path) -> None:
        made = tmp_path / "made"
        command = sp.Command(("grep", "-q", "word"), input=str(made))
        comparison = sp.compare_live(
            command, command, duration_s=2.0, setup=f"echo word > {made}", cleanup=f"rm {made}"
        )
        assert (comparison.metrics[0].pairs or 0) > 0
        assert not made.exists()

    def test_stands_in_the_label_as_one_would_type_it(self) -> None:
        command = sp.Command(("cat", "a b"), input="c d")
        assert command.label == "cat 'a b' < 'c d'"


class TestShell:
    def test_runs_a_line_and_what_it_costs_is_measured_beside_it(self) -> None:
        command = sp.Command(("exit 3 | cat",), shell=True)
        source = pairs(command, command)
        source.prepare(NEVER)
        source.measure("baseline", 0, verify=False, deadline=NEVER)
        floor = source.floor()
        assert floor is not None
        assert floor.is_shell
        assert floor.program == "/bin/sh -c ''"
        assert floor.time_ns.value > 0
        assert 1 <= floor.runs <= timed_commands.FLOOR_RUNS
        assert command.label == "/bin/sh -c 'exit 3 | cat'"

    def test_without_one_a_process_that_does_nothing_is(self) -> None:
        source = pairs(FINE, FINE)
        assert source.floor() is None
        source.measure("baseline", 0, verify=False, deadline=NEVER)
        floor = source.floor()
        assert floor is not None
        assert not floor.is_shell

    def test_takes_one_line(self) -> None:
        with pytest.raises(sp.InvalidParameter, match="shell=True expected one line"):
            sp.Command(("ls", "-l"), shell=True)


def test_a_line_of_text_becomes_a_command() -> None:
    assert sp.Command.parse("grep 'a b' c").argv == ("grep", "a b", "c")
    assert sp.Command.parse("a | b", shell=True).program == ("/bin/sh", "-c", "a | b")
    with pytest.raises(sp.InvalidParameter, match="--input FILE"):
        sp.Command.parse("sort < a")


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
