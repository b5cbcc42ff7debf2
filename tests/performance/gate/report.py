"""The tables: of verdicts, pooled and by operation, and of what pairing gains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gate.plan import OPERATIONS, SLOWDOWNS
from gate.precision import Errors, Widths, errors, widths
from gate.rates import BOTH, GATES, TAIL_GATES, TAIL_OPERATIONS, Cell, cells, tail_cells
from gate.records import Record

KINDS = ((0.0, 0.05), *SLOWDOWNS)


def as_json(records: Sequence[Record], machine: Record | None) -> dict[str, Any]:
    """Return everything as plain JSON types."""
    return {
        "machine": machine,
        "verdicts": [cell.to_json() for cell in cells(records)],
        "tails": [cell.to_json() for cell in tail_cells(records)],
        "widths": [width.to_json() for width in widths(records)],
        "errors": [error.to_json() for error in errors(records)],
    }


def as_text(records: Sequence[Record], machine: Record | None) -> str:
    """Return everything for a terminal."""
    parts = [machine_line(machine)]
    found = cells(records)
    for operation in (BOTH, *OPERATIONS):
        rows = [_details(cell) for cell in found if cell.operation == operation]
        if rows:
            title = "Both operations" if operation == BOTH else operation
            parts.append(f"{title}\n{_aligned([DETAILS, *rows])}")
    tails = [_tail_row(cell) for cell in _of_tails(records)]
    if tails:
        parts.append(_aligned([TAILS, *tails]))
    parts += [_aligned(table) for table in _pairing(records)]
    return "\n\n".join(parts)


def as_markdown(records: Sequence[Record], machine: Record | None) -> str:
    """Return the tables of the site: one line per gate, and what pairing gains."""
    found = cells(records)
    parts = [machine_line(machine)]
    for operation in (BOTH, *OPERATIONS):
        head = ["both operations" if operation == BOTH else f"`{operation}`", *SUMMARY]
        rows = [row for gate in GATES if (row := _summary(found, gate, operation))]
        if rows:
            parts.append(_markdown([head, *rows]))
    tails = [_tail_row(cell) for cell in _of_tails(records)]
    if tails:
        parts.append(_markdown([TAILS, *tails]))
    parts += [_markdown(table) for table in _pairing(records)]
    return "\n\n".join(parts)


def _pairing(records: Sequence[Record]) -> list[list[list[str]]]:
    """Return the tables of what pairing gains, those without a row left out."""
    tables = [
        [WIDTHS, *map(_widths_row, widths(records))],
        [ERRORS, *map(_errors_row, errors(records))],
    ]
    return [table for table in tables if len(table) > 1]


def machine_line(machine: Record | None) -> str:
    """Name the machine in one line."""
    if machine is None:
        return "Machine: not recorded"
    where = machine["virtualization"]
    return (
        f"{machine['cpu']}, {machine['logical_cores']} logical cores"
        f"{f', virtual ({where})' if where else ''}, Linux {machine['kernel']}, "
        f"Python {machine['python']}, stratoperf {machine['stratoperf']}"
    )


SUMMARY = [
    "false alarms",
    *(f"finds {slowdown:.0%} (threshold {threshold:.0%})" for slowdown, threshold in SLOWDOWNS),
    "median time, identical / slow",
]


def _summary(found: Iterable[Cell], gate: str, operation: str) -> list[str] | None:
    own = {
        (cell.slowdown, cell.threshold): cell
        for cell in found
        if (cell.gate, cell.operation) == (gate, operation)
    }
    if not own:
        return None
    identical = own.get(KINDS[0])
    slow = [cell.seconds for kind, cell in own.items() if kind != KINDS[0]]
    times = " / ".join(
        f"{seconds:.3g} s"
        for seconds in (
            *([identical.seconds] if identical else []),
            *([sorted(slow)[len(slow) // 2]] if slow else []),
        )
    )
    return [
        GATES[gate],
        alarms(identical) if identical else "",
        *(detections(own[kind]) if kind in own else "" for kind in SLOWDOWNS),
        times,
    ]


def alarms(cell: Cell) -> str:
    """Say how many false alarms there were, and the bound that the count allows."""
    wrong = f"; {cell.faster} more said faster" if cell.faster else ""
    return (
        f"{cell.slower} of {cell.checks}: {percent(cell.rate)} "
        f"[{_range(cell)}], at most {percent(cell.at_most)}{wrong}"
    )


def detections(cell: Cell) -> str:
    """Say how many slow-downs were found."""
    return f"{cell.slower} of {cell.checks}: {percent(cell.rate)} [{_range(cell)}]"


def percent(share: float) -> str:
    """Return a share in percent, with two digits where it is small."""
    value = 100 * share
    return f"{value:.2g} %" if value < 10 else f"{value:.0f} %"


def _range(cell: Cell) -> str:
    return f"{percent(cell.low).removesuffix(' %')} to {percent(cell.high)}"


DETAILS = [
    "gate",
    "slow-down",
    "threshold",
    "checks",
    "slower",
    "rate [95 %]",
    "at most (95 %)",
    "faster",
    "inconclusive",
    "median s",
    "half-width",
]


def _details(cell: Cell) -> list[str]:
    return [
        GATES[cell.gate],
        f"{cell.slowdown:.0%}",
        f"{cell.threshold:.0%}",
        f"{cell.checks}",
        f"{cell.slower}",
        f"{percent(cell.rate)} [{_range(cell)}]",
        percent(cell.at_most) if cell.slowdown == 0 else "",
        f"{cell.faster}",
        f"{cell.inconclusive}",
        f"{cell.seconds:.3g}",
        "" if cell.half_width is None else percent(cell.half_width),
    ]


TAILS = [
    "tails",
    "operation",
    "checks",
    "said slower [95 %]",
    "same",
    "inconclusive",
    "median s",
    "half-width",
]


def _of_tails(records: Sequence[Record]) -> list[Cell]:
    """Return the cells of tails: identical sides pooled and apart, others by the operation."""
    found = tail_cells(records)
    return sorted(
        (cell for cell in found if cell.operation != BOTH or cell.slowdown == 0),
        key=lambda cell: (
            list(TAIL_GATES).index(cell.gate),
            cell.slowdown > 0,
            (BOTH, *TAIL_OPERATIONS).index(cell.operation),
        ),
    )


def _tail_row(cell: Cell) -> list[str]:
    is_pooled = cell.operation == BOTH
    what = f"{cell.slowdown:.0%} of the iterations" if cell.slowdown else "identical sides"
    same = cell.checks - cell.slower - cell.faster - cell.inconclusive
    return [
        f"{TAIL_GATES[cell.gate]}, {what}",
        "all operations" if is_pooled else cell.operation,
        f"{cell.checks}",
        detections(cell) if cell.slowdown else alarms(cell),
        f"{same}",
        f"{cell.inconclusive}",
        f"{cell.seconds:.3g}",
        "" if cell.half_width is None else percent(cell.half_width),
    ]


WIDTHS = [
    "half-width of the 99 % interval",
    "seconds",
    "sessions",
    "pairs",
    "two separate runs",
    "times wider",
    "two separate runs, drift allowed for",
    "times wider",
    "missed the truth: pairs, separate runs",
]


def _widths_row(one: Widths) -> list[str]:
    return [
        one.operation,
        f"{one.seconds:g}",
        f"{one.sessions}",
        percent(one.paired),
        percent(one.separate),
        _times(one.separate, one.paired),
        percent(one.drift),
        _times(one.drift, one.paired),
        f"{one.paired_missed}, {one.separate_missed}",
    ]


ERRORS = [
    "error of the ratio (root mean square)",
    "checks",
    "pairs",
    "two separate runs",
    "times larger [95 %]",
]


def _errors_row(one: Errors) -> list[str]:
    return [
        one.operation,
        f"{one.sessions}",
        percent(one.paired),
        percent(one.separate),
        f"{one.factor:.2g} [{one.low:.2g} to {one.high:.2g}]",
    ]


def _times(wide: float, narrow: float) -> str:
    return f"{wide / narrow:.2g}" if narrow > 0 else ""


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    ruler = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ruler, *body))
