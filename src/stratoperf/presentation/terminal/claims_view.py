"""Claims beside what was measured: the table, and the lines at the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stratoperf.presentation.terminal.cells import NOTHING, verdict_cell
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.presentation.terminal.tables import Cell, Column, Table, print_table
from stratoperf.text.units import significant

if TYPE_CHECKING:
    from stratoperf.running import ClaimRow, ClaimsTable


def claim_rows(table: ClaimsTable) -> list[dict[str, Any]]:
    """Return the claims as plain JSON types."""
    rows: list[dict[str, Any]] = msgspec.to_builtins(list(table.rows))
    return rows


def show_claims(screen: Screen, table: ClaimsTable) -> None:
    """Print all claims, and below them why some are not measured."""
    columns = [
        Column("component", key=True, name=True),
        Column("metric", key=True, name=True),
        Column("target"),
        Column("published", drop=1),
        Column("here", right=True),
        Column("verdict"),
    ]
    rows = [
        [
            Cell(row.component),
            Cell(row.metric),
            Cell(row.target),
            NOTHING if row.published == "unknown" else Cell(row.published),
            Cell(_here(row)) if row.measured is not None else NOTHING,
            verdict_cell(row.verdict),
        ]
        for row in table.rows
    ]
    print_table(screen, Table(columns, rows))
    for row in table.rows:
        if row.measured is not None and row.why:
            screen.paragraph(f"{row.component}, {row.metric}: {row.why}", "dim", indent="  ")
    reasons: dict[str, int] = {}
    for row in table.rows:
        if row.measured is None and row.why:
            reasons[row.why] = reasons.get(row.why, 0) + 1
    for why, count in reasons.items():
        claims = "1 claim" if count == 1 else f"{count} claims"
        screen.paragraph(f"{claims} not measured: {why}", "dim", indent="  ")


def show_measured_claims(screen: Screen, table: ClaimsTable) -> None:
    """Print one line for each claim that this run has a value for."""
    measured = [row for row in table.rows if row.measured is not None]
    if measured:
        screen.line()
    for row in measured:
        published = "" if row.published == "unknown" else f" (published {row.published})"
        word = verdict_cell(row.verdict)
        why = f": {row.why}" if row.why else ""
        screen.paragraph(
            f"claim: {row.component} {row.metric} {row.target}{published}: here {_here(row)}; "
            f"{word.text}{why}",
            word.style if row.verdict != "not-measured" else "",
            indent="  ",
        )


def _here(row: ClaimRow) -> str:
    if row.measured is None:
        return ""
    unit = "µs" if row.unit == "us" else row.unit or ""
    return f"{significant(row.measured.value)} {unit}".strip()
