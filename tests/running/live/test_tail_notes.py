"""What a high quantile cannot show is told."""

from __future__ import annotations

import numpy as np
import pytest

from stratoperf.analysis.comparison import Side
from stratoperf.analysis.tails import design_of
from stratoperf.running.live.pair_source import Arm
from stratoperf.running.live.session import Pair, Session
from stratoperf.running.live.tail_notes import FAR, tail_notes
from wording import mentions


def notes(baseline: list[float], current: list[float], batch: int = 1) -> list[str]:
    """Return the notes on p99 for a session of one pair."""
    arms: dict[Side, Arm] = {
        "baseline": Arm("b", 0, batch, np.array(baseline)),
        "current": Arm("c", 0, batch, np.array(current)),
    }
    session = Session(design_of("p99", 0.2, 0.01), pairs=[Pair(0, "baseline", arms)])
    return tail_notes("kv.put", session, "p99")


def waiting(times: float, share: float = 0.05) -> list[float]:
    """Return samples of 100 ns, of which a share takes so many times as long."""
    waited = round(share * 1000)
    return [100.0] * (1000 - waited) + [100.0 * times] * waited


@pytest.mark.parametrize("batch", [2, 8])
def test_means_of_several_iterations_are_told(batch: int) -> None:
    (note,) = notes(waiting(1), waiting(2), batch)
    assert f"kv.put: p99 is that of means of {batch} iterations" in note
    assert "single ones of 100 ns" in note
    assert mentions(note, "iteration", "work")


def test_quantiles_that_are_far_from_the_median_on_both_sides_are_told() -> None:
    (note,) = notes(waiting(90), waiting(80))
    assert mentions(note, "kv.put", "p99", "90 times", "80 times")
    assert "more than 1 %" in note
    assert mentions(note, "quantile", "quieter")


@pytest.mark.parametrize(
    ("baseline", "current"),
    [
        (waiting(1), waiting(1)),
        (waiting(FAR - 1), waiting(FAR - 1)),
        # A long tail of one side is what is looked for.
        (waiting(1), waiting(90)),
        (waiting(90), waiting(1)),
        # Too few to reach the quantile.
        (waiting(90, 0.005), waiting(90, 0.005)),
    ],
)
def test_there_is_nothing_to_tell_of_tails_that_show(
    baseline: list[float], current: list[float]
) -> None:
    assert notes(baseline, current) == []


def test_without_a_pair_there_is_nothing_to_tell() -> None:
    assert tail_notes("kv.put", Session(design_of("p99", 0.2, 0.01)), "p99") == []
