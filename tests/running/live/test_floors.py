"""What a run costs by itself is told where it hides a difference between the commands."""

from __future__ import annotations

import numpy as np
import pytest

from stratoperf.analysis.paired_design import PairedDesign
from stratoperf.running.live.floors import floor_notes, floor_text, floor_tree
from stratoperf.running.live.pair_source import SIDES, Arm, Floor
from stratoperf.running.live.session import Pair, Session
from stratoperf.statistics import Estimate
from wording import mentions


def session(baseline_ms: float, current_ms: float) -> Session:
    values = {"baseline": baseline_ms, "current": current_ms}
    arms = {side: Arm(side, 0, 1, np.array([values[side] * 1e6])) for side in SIDES}
    return Session(PairedDesign(0.05, 0.01), pairs=[Pair(0, "baseline", arms)])


def floor(ms: float, *, is_shell: bool) -> Floor:
    program = "/bin/sh -c ''" if is_shell else "/usr/bin/true"
    return Floor(program, Estimate(ms * 1e6, 0.9e6, 1.2e6, 0.95, "any"), 30, is_shell)


@pytest.mark.parametrize(
    ("ms", "shell_ms", "share"),
    [(4.9, 0.1, "2 %"), (6.0, 0.7, "12 %"), (1.0, 2.0, "100 %")],
)
def test_a_shell_that_is_a_part_of_a_short_time_is_told(
    ms: float, shell_ms: float, share: str
) -> None:
    (note,) = floor_notes(floor(shell_ms, is_shell=True), session(ms, 2 * ms))
    assert f"the baseline side takes {ms:.3g} ms" in note
    assert f"{share} ({shell_ms:.3g} ms)" in note
    assert "leave --shell out" in note


def test_a_process_that_does_little_but_start_is_told() -> None:
    (note,) = floor_notes(floor(0.9, is_shell=False), session(3.0, 1.2))
    assert mentions(note, "1.2 ms", "current")
    assert "75 % (/usr/bin/true alone takes 0.9 ms)" in note


def test_what_takes_much_longer_than_its_start_is_not() -> None:
    assert floor_notes(floor(0.9, is_shell=False), session(1.9, 2.0)) == []
    assert floor_notes(floor(0.9, is_shell=True), session(9.1, 20.0)) == []
    assert floor_notes(floor(0.9, is_shell=True), Session(PairedDesign(0.05, 0.01))) == []


def test_the_cost_of_the_shell_is_shown_with_its_interval_and_kept() -> None:
    text = floor_text(floor(1.0, is_shell=True))
    assert "(/bin/sh -c '') takes 1 ms [0.9, 1.2] (median of 30 runs" in text
    assert "nothing is subtracted" in text
    tree = floor_tree(floor(1.0, is_shell=True))
    assert (tree["program"], tree["runs"], tree["time_ns"]["value"]) == ("/bin/sh -c ''", 30, 1e6)
