"""Our intervals beside others': how often they cover what the next runs say, and how wide they are.

Hundreds of re-runs take hours, so these rows tell of records: those kept in ``examples/results``,
or in the folder that the environment variable ``REPEATABILITY_RECORDS`` names.
``repeatability.py`` measures them anew, ours and others' in turn on one machine.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gate.distill import read_machine
from gate.rates import clopper_pearson
from gate.report import machine_line
from repeats.coverage import ALL, POOLED_GOAL, Cell, Widths, cells, widths
from repeats.plan import EVERY, MODES, OURS, PEERS, TOOLS
from repeats.records import Rerun, read_reruns
from repeats.report import percent
from side_by_side import Goal, Row

KEPT = Path(__file__).parents[3] / "examples" / "results"

MEASURE = (
    "to measure anew: python tests/performance/repeatability.py --data DIR; then "
    "REPEATABILITY_RECORDS=DIR python tests/performance/peers.py repeatability"
)

COVERAGE = Goal("value", ">=", 100 * POOLED_GOAL)

EACH = 0.975
"""Confidence of the interval of either rate: a ratio of them has both right with 95 %."""


def measure() -> list[Row]:
    """Return the rows that the newest records give, or none where there are none."""
    folder = records_folder()
    if folder is None:
        print(f"repeatability: there are no records in {KEPT}; {MEASURE}", file=sys.stderr)
        return []
    machine = machine_line(read_machine(folder))
    print(f"repeatability: from the records in {folder} ({machine}); {MEASURE}", file=sys.stderr)
    return rows(folder)


def records_folder() -> Path | None:
    """Return where the records are: the folder asked for, or that of the newest record."""
    asked = os.environ.get("REPEATABILITY_RECORDS")
    if asked:
        return Path(asked)
    newest = {
        folder: max((rerun.started for rerun in read_reruns(folder)), default="")
        for folder in KEPT.glob("*/repeatability")
    }
    return max(filter(newest.get, newest), key=newest.__getitem__, default=None)


def rows(folder: Path) -> list[Row]:
    """Return a row for the coverage and one for the width, for each mode and peer."""
    reruns = read_reruns(folder)
    compared = {(row.mode, row.peer): row for row in widths(reruns)}
    made: list[Row] = []
    for mode in MODES:
        for peer in PEERS:
            both = _pooled(reruns, mode, peer)
            if both is not None:
                made.append(_coverage_row(*both))
            if (mode, peer) in compared:
                made.append(_width_row(compared[mode, peer]))
    return made + [
        _reference_row(cell)
        for cell in cells(reruns, at_reference=True)
        if (cell.tool, cell.operation) == (OURS[0], ALL)
    ]


def _pooled(reruns: list[Rerun], mode: str, peer: str) -> tuple[Cell, Cell] | None:
    """Return our cell and the peer's over the operations that both have measured."""
    own, theirs = (
        {rerun.job.operation for rerun in reruns if rerun.job[::2] == (tool, mode)}
        for tool in (OURS[0], peer)
    )
    common = [rerun for rerun in reruns if rerun.job.operation in own & theirs]
    pooled = {
        cell.tool: cell for cell in cells(common) if (cell.operation, cell.mode) == (ALL, mode)
    }
    if OURS[0] not in pooled or peer not in pooled:
        return None
    return pooled[OURS[0]], pooled[peer]


def _coverage_row(ours: Cell, peer: Cell) -> Row:
    above = clopper_pearson(ours.covered, ours.reruns, EACH)
    below = clopper_pearson(peer.covered, peer.reruns, EACH)
    ratio = ours.rate / peer.rate if peer.covered else None
    return Row(
        f"covers what the next runs say, {ours.mode}",
        100 * ours.rate,
        100 * peer.rate,
        TOOLS[peer.tool].title,
        "% of re-runs",
        "higher",
        ratio,
        above[0] / below[1],
        above[1] / below[0] if below[0] else None,
        COVERAGE,
        ours.met,
        f"ours {_told(ours)}; peer's {TOOLS[peer.tool].states} {_told(peer)}; from records",
    )


def _reference_row(ours: Cell) -> Row:
    return Row(
        f"covers what the next runs say, at reference speed, {ours.mode}",
        100 * ours.rate,
        None,
        "none: no peer reads the machine's speed",
        "% of re-runs",
        "higher",
        goal=COVERAGE,
        met=ours.met,
        note=f"{_told(ours)}; from records",
    )


def _told(cell: Cell) -> str:
    apart = (
        f" ({cell.drifted_covered} of {cell.drifted} that warned of the host's drift)"
        if cell.drifted
        else ""
    )
    return (
        f"{cell.covered} of {cell.reruns}{apart}, median width {percent(cell.width)} in "
        f"{cell.seconds:.2g} s"
    )


def _width_row(row: Widths) -> Row:
    ours, peer = (
        100 * width if width < float("inf") else None for width in (row.ours_width, row.peer_width)
    )
    return Row(
        f"width at 95 % covered, in the same time, {row.mode}",
        ours,
        peer,
        TOOLS[row.peer].title,
        "% of the value",
        "lower",
        row.ratio,
        row.low,
        row.high,
        note=f"geometric mean over {row.operations} of {len(EVERY)} operations; from records",
    )
