"""Ours beside a named peer: ``python tests/performance/peers.py TOPIC... [--json]``.

Without a topic it measures all of them. Each row goes to stdout as soon as it is measured.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterable, Iterator
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
    "containers",
    "kernel",
    "gate",
    "repeatability",
    "report",
]
PARTS = ["consensus_gpu", "synthesis_gpu", "memory_gpu"]
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
    show = print_list if arguments.json else print_rows
    try:
        show(measured(arguments.topics or TOPICS))
    except KeyboardInterrupt:
        # Where it was interrupted says nothing, and would hide the rows in a report.
        print("interrupted: the rows that are missing were not measured", file=sys.stderr)
        return 130
    return 0


def measured(topics: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of topics, each when it is measured."""
    for topic in topics:
        module = topic if topic in PARTS else f"{topic}_"
        yield from importlib.import_module(f"topics.{module}").measure()


def print_list(rows: Iterable[Row]) -> None:
    """Print one JSON list, a row a line."""
    separator = "["
    for row in rows:
        print(f"{separator}{json.dumps(row.to_json())}", end="", flush=True)
        separator = ",\n "
    print("]" if separator != "[" else "[]")


def print_rows(rows: Iterable[Row]) -> None:
    """Print each row as some lines of text."""
    for row in rows:
        peer = "" if row.peer is None else f"{row.peer:.4g} "
        facts = [f"{row.unit}:", f"ours {row.ours:.4g}," if row.ours is not None else ""]
        facts.append(f"{peer}({row.peer_name})")
        if row.ratio is not None:
            facts.append(f"{row.ratio:.3g} times better")
            if row.ratio_low is not None and row.ratio_high is not None:
                facts.append(f"[{row.ratio_low:.3g}, {row.ratio_high:.3g}]")
        if row.goal is not None:
            met = {True: "met", False: "MISSED", None: "not judged"}[row.met]
            facts.append(f"goal {row.goal.kind} {row.goal.op} {row.goal.number:g}: {met}")
        print(row.name)
        print(" ", *filter(None, facts))
        if row.note:
            print(f"  {row.note}")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
