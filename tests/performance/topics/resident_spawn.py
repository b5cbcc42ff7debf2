"""Prints the median of spawns, in microseconds, of a process with so much resident memory.

``python resident_spawn.py MEGABYTES COUNT PACE_S``
"""

from __future__ import annotations

import statistics
import sys
import time

import stratoperf as sp


def main(megabytes: int, count: int, pace_s: float) -> None:
    """Hold memory, and spawn cold containers."""
    ballast = bytearray(megabytes << 20)
    ballast[::4096] = bytes(len(ballast[::4096]))
    times = []
    with sp.containers.Spawner() as spawner:
        for _ in range(count):
            time.sleep(pace_s)
            with spawner.spawn() as container:
                times.append(container.ready_us)
    print(statistics.median(times))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
