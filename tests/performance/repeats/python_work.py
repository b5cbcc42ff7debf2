"""The operations in Python; imports little, for whole processes: NAME ITERATIONS performs one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

ENTRY = {
    "name": "replica-17",
    "votes": [1, 0, 1, 1, 0],
    "load": 0.72,
    "leader": None,
    "labels": {"zone": "a", "disk": "fast"},
}


def arithmetic() -> object:
    """Add up numbers in the interpreter."""
    return sum(range(500))


def dictionary() -> object:
    """Write a small dictionary as JSON."""
    return json.dumps(ENTRY)


CALLS: dict[str, Callable[[], object]] = {"arithmetic": arithmetic, "dictionary": dictionary}


def main(name: str, iterations: int) -> None:
    """Perform it."""
    call = CALLS[name]
    for _ in range(iterations):
        call()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
