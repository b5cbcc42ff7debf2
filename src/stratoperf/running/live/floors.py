"""The cost of starting a process, which is part of the time of every command."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from stratoperf.running.live.pair_source import SIDES, Floor
from stratoperf.running.live.session import Session

SHORT_NS = 5e6
"""Below this hyperfine, too, holds the cost of a shell for no longer negligible."""

_LARGE_SHARE = 0.1


def floor_text(floor: Floor) -> str:
    """Return the cost of the shell, which is part of the times of both sides."""
    low, high = floor.time_ns.low, floor.time_ns.high
    interval = "" if low is None or high is None else f" [{_ms(low)}, {_ms(high)}]"
    runs = "1 run" if floor.runs == 1 else f"{floor.runs} runs"
    return (
        f"the times of both sides include the shell: an empty command through it "
        f"({floor.program}) takes {_ms(floor.time_ns.value)} ms{interval} (median of {runs} in "
        "the same pairs); nothing is subtracted"
    )


def floor_notes(floor: Floor, session: Session) -> list[str]:
    """Return a sentence where a side takes little more than a run that does nothing."""
    if not session.pairs:
        return []
    idle_ns = floor.time_ns.value
    typical = {side: float(np.median(session.values(side, "p50"))) for side in SIDES}
    side = min(SIDES, key=lambda side: typical[side])
    shortest_ns = typical[side]
    share = f"{100 * min(idle_ns / shortest_ns, 1.0):.0f} %"
    if floor.is_shell and (shortest_ns < SHORT_NS or idle_ns > _LARGE_SHARE * shortest_ns):
        return [
            f"the {side} side takes {_ms(shortest_ns)} ms, of which starting the shell is about "
            f"{share} ({_ms(idle_ns)} ms): a difference between the commands looks smaller than it "
            "is; leave --shell out (shell=False), or let the commands do more work"
        ]
    if not floor.is_shell and shortest_ns < 2 * idle_ns:
        return [
            f"the {side} side takes {_ms(shortest_ns)} ms, of which starting a process is about "
            f"{share} ({floor.program} alone takes {_ms(idle_ns)} ms): a difference between the "
            "commands looks smaller than it is; let them do more work, or compare functions with "
            "benchmarks"
        ]
    return []


def floor_tree(floor: Floor) -> dict[str, Any]:
    """Return it for the run file."""
    return {
        "program": floor.program,
        "runs": floor.runs,
        "time_ns": msgspec.to_builtins(floor.time_ns),
    }


def _ms(ns: float) -> str:
    return f"{ns / 1e6:.3g}"
