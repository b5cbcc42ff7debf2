"""Ours beside a named peer: ``python tests/performance/peers.py TOPIC... [--json]``.

Without a topic it measures all of them. The table goes to stdout.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from side_by_side import Row

TOPICS = [
    "import",
    "clock",
    "sampler",
    "statistics",
    "consensus",
    "synthesis",
    "memory",
    "gate",
    "repeatability",
]
PARTS = ["memory_gpu"]
"""Of topics, with which they are measured."""


def main() -> int:
    """Measure the topics that were asked for and print their rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "topics", nargs="*", metavar="TOPIC", help=f"any of: {' '.join(TOPICS + PARTS)}"
    )
    parser.add_argument("--json", action="store_true", help="print one list of objects")
    arguments = parser.parse_args()
    for topic in arguments.topics:
        if topic not in TOPICS + PARTS:
            parser.error(f"unknown topic {topic!r}; known: {', '.join(TOPICS + PARTS)}")
    rows: list[Row] = []
    for topic in arguments.topics or TOPICS:
        rows += importlib.import_module(f"topics.{topic}_").measure()
    if arguments.json:
        print(json.dumps([row.to_json() for row in rows], indent=2))
    else:
        print_table(rows)
    return 0


def print_table(rows: list[Row]) -> None:
    """Print the rows as text."""
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "ours", "peer", "unit", "times better", "goal", "met", "note")
    for row in rows:
        interval = ""
        if row.ratio is not None:
            interval = f"{row.ratio:.3g}"
            if row.ratio_low is not None and row.ratio_high is not None:
                interval += f" [{row.ratio_low:.3g}, {row.ratio_high:.3g}]"
        goal = f"{row.goal.kind} {row.goal.op} {row.goal.number:g}" if row.goal else ""
        met = {True: "yes", False: "NO", None: ""}[row.met]
        peer = "" if row.peer is None else f"{row.peer:.4g} "
        table.add_row(
            row.name,
            "" if row.ours is None else f"{row.ours:.4g}",
            f"{peer}({row.peer_name})",
            row.unit,
            interval,
            goal,
            met,
            row.note,
        )
    Console(width=180 if not sys.stdout.isatty() else None).print(table)


if __name__ == "__main__":
    sys.exit(main())
