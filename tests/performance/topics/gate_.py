"""Our gates beside others' verdicts: false alarms, and slow-downs found.

Hundreds of checks take hours, so these rows tell of records: those kept in ``examples/results``, or
in the folder that the environment variable ``GATE_RECORDS`` names. ``gate_power.py`` measures them
anew, all on one machine.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gate.distill import read_machine
from gate.plan import SLOWDOWNS
from gate.rates import BOTH, GATES, Cell, cells, clopper_pearson
from gate.records import read_records
from gate.report import alarms, detections, machine_line
from side_by_side import Goal, Row

KEPT = Path(__file__).parents[3] / "examples" / "results"

MEASURE = (
    "to measure anew: python tests/performance/gate_power.py run --data DIR --stream live, and at "
    "the same time --stream others; then GATE_RECORDS=DIR python tests/performance/peers.py gate"
)

OURS = ("live", "stored")
PEERS = ("pyperf", "criterion", "medians")

FALSE_ALARMS = Goal("value", "<=", 1.0)
DETECTION = {0.05: Goal("value", ">=", 80.0), 0.10: Goal("value", ">=", 95.0)}
"""Of the live gate, by the slow-down."""

EACH = 0.975
"""Confidence of the interval of either rate: a ratio of them has both right with 95 %."""


def measure() -> list[Row]:
    """Return the rows that the newest records give, or none where there are none."""
    folder = records_folder()
    if folder is None:
        print(f"gate: there are no records in {KEPT}; {MEASURE}", file=sys.stderr)
        return []
    machine = machine_line(read_machine(folder))
    print(f"gate: from the records in {folder} ({machine}); {MEASURE}", file=sys.stderr)
    return rows(folder)


def records_folder() -> Path | None:
    """Return where the records are: the folder asked for, or the one kept last."""
    asked = os.environ.get("GATE_RECORDS")
    if asked:
        return Path(asked)
    kept = [path.parent for path in KEPT.glob("*/gate/checks-*.jsonl")]
    return max(kept, key=lambda folder: _newest(folder), default=None)


def _newest(folder: Path) -> str:
    """Return when the last check in a folder was made."""
    return max((record.get("at", "") for record in read_records(folder)), default="")


def rows(folder: Path) -> list[Row]:
    """Return a row for each of our gates, each kind of change and each peer."""
    records = read_records(folder)
    found = {(cell.gate, cell.slowdown): cell for cell in cells(records) if cell.operation == BOTH}
    where = "from records"
    return [
        _row(found[ours, slowdown], found[peer, slowdown], where)
        for slowdown in (0.0, *(slowdown for slowdown, _ in SLOWDOWNS))
        for ours in OURS
        for peer in PEERS
        if (ours, slowdown) in found and (peer, slowdown) in found
    ]


def _row(ours: Cell, peer: Cell, where: str) -> Row:
    identical = ours.slowdown == 0
    if identical:
        goal: Goal | None = FALSE_ALARMS
        what = f"false alarms, {ours.gate} gate"
    else:
        goal = DETECTION.get(ours.slowdown) if ours.gate == "live" else None
        what = f"finds {ours.slowdown:.0%} at a threshold of {ours.threshold:.0%}, {ours.gate} gate"
    tell = alarms if identical else detections
    ratio, low, high = _times_better(ours, peer)
    return Row(
        what,
        100 * ours.rate,
        100 * peer.rate,
        GATES[peer.gate],
        "% of checks",
        "lower" if identical else "higher",
        ratio,
        low,
        high,
        goal,
        None if goal is None else goal.met_by(ratio=ratio, value=100 * ours.rate),
        f"ours {tell(ours)}; peer {tell(peer)}; {where}",
    )


def _times_better(ours: Cell, peer: Cell) -> tuple[float | None, float | None, float | None]:
    """Return the ratio of the rates with an interval; ``None`` where it divides by zero."""
    better, worse = (peer, ours) if ours.slowdown == 0 else (ours, peer)
    above = clopper_pearson(better.slower, better.checks, EACH)
    below = clopper_pearson(worse.slower, worse.checks, EACH)
    return (
        better.rate / worse.rate if worse.rate else None,
        above[0] / below[1],
        above[1] / below[0] if below[0] else None,
    )
