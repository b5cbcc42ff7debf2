"""What the records say, as JSON, text for a terminal, or tables of a README."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from gate.records import Record
from gate.report import machine_line
from repeats.coverage import ALL, Cell, Widths, cells, widths
from repeats.plan import EVERY, MODES, TOOLS
from repeats.records import Rerun

MODE_TITLES = {"quick": "Quick settings", "60s": "Budgets of 60 s"}


def as_json(reruns: Sequence[Rerun], machine: Record | None) -> dict[str, Any]:
    """Return everything as plain JSON types."""
    return {
        "machine": machine,
        "raw": [cell.to_json() for cell in cells(reruns)],
        "at_reference_speed": [cell.to_json() for cell in cells(reruns, at_reference=True)],
        "widths": [row.to_json() for row in widths(reruns)],
        "failed": [rerun.to_json() for rerun in reruns if rerun.outcome is None],
    }


def as_text(reruns: Sequence[Rerun], machine: Record | None) -> str:
    """Return everything for a terminal."""
    return _joined(reruns, machine, _aligned)


def as_markdown(reruns: Sequence[Rerun], machine: Record | None) -> str:
    """Return the tables of a README: all operations together, and how many cover of each."""
    return _joined(reruns, machine, _markdown)


def _joined(
    reruns: Sequence[Rerun],
    machine: Record | None,
    table: Callable[[Sequence[Sequence[str]]], str],
) -> str:
    raw, reference = cells(reruns), cells(reruns, at_reference=True)
    parts = [machine_line(machine)]
    for mode in MODES:
        for title, made in (("", raw), (", at reference speed", reference)):
            own = [cell for cell in made if cell.mode == mode]
            shown = [cell for cell in own if cell.operation == ALL or table is _aligned]
            if shown:
                parts.append(f"{MODE_TITLES[mode]}{title}")
                parts.append(table([DETAILS, *map(_details, shown)]))
                parts.append(table(_by_operation(own)))
    compared = [_widths_row(row) for row in widths(reruns)]
    if compared:
        parts.append(table([WIDTHS, *compared]))
    failures = sum(rerun.outcome is None for rerun in reruns)
    if failures:
        parts.append(f"{failures} re-runs failed; the records say why")
    return "\n\n".join(parts)


DETAILS = [
    "tool",
    "operation",
    "states",
    "covers the next runs' median",
    "[95 %]",
    "goal",
    "of these warned of drift",
    "disturbed",
    "no interval",
    "width",
    "re-runs apart",
    "s each",
]


def _details(cell: Cell) -> list[str]:
    return [
        TOOLS[cell.tool].title,
        cell.operation,
        TOOLS[cell.tool].states,
        f"{_share(cell)}: {percent(cell.rate)}",
        f"{percent(cell.low)} to {percent(cell.high)}",
        {True: "met", False: "MISSED", None: ""}[cell.met],
        f"{percent(cell.drifted / cell.reruns)}: {cell.drifted_covered} of {cell.drifted} cover"
        if cell.drifted
        else "",
        percent(cell.disturbed / cell.reruns) if cell.disturbed else "",
        f"{cell.unbounded}" if cell.unbounded else "",
        percent(cell.width),
        percent(cell.apart),
        f"{cell.seconds:.3g}",
    ]


def _by_operation(own: Sequence[Cell]) -> list[list[str]]:
    """Return the share that covers, an operation a line and a tool a column."""
    found = {(cell.tool, cell.operation): cell for cell in own}
    shown = [name for name in TOOLS if (name, ALL) in found]
    rows = [["covered", *(TOOLS[name].title for name in shown)]]
    for operation in (*EVERY, ALL):
        line = [found.get((name, operation)) for name in shown]
        if any(line):
            rows.append([operation, *(_share(cell) for cell in line)])
    return rows


def _share(cell: Cell | None) -> str:
    return "" if cell is None else f"{cell.covered} of {cell.reruns}"


WIDTHS = [
    "width at 95 % covered, in the same time",
    "peer",
    "mode",
    "operations",
    "ours",
    "peer's",
    "times wider [95 %]",
]


def _widths_row(row: Widths) -> list[str]:
    interval = ""
    if row.low is not None and row.high is not None:
        interval = f" [{row.low:.2g} to {row.high:.2g}]"
    return [
        TOOLS[row.ours].title,
        TOOLS[row.peer].title,
        row.mode,
        f"{row.operations}",
        percent(row.ours_width),
        percent(row.peer_width),
        "" if row.ratio is None else f"{row.ratio:.2g}{interval}",
    ]


def percent(share: float) -> str:
    """Return a share in percent, with two digits where it is small."""
    if not math.isfinite(share):
        return "" if math.isnan(share) else "∞"
    value = 100 * share
    return f"{value:.2g} %" if value < 10 else f"{value:.0f} %"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip()
        for row in rows
    )


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    ruler = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ruler, *body))
