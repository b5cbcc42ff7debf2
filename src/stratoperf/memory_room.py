"""Whether there is memory for an argument."""

from __future__ import annotations

from stratoperf.arguments import shown
from stratoperf.errors import InvalidParameter

_SMALL_BYTES = 64 << 20
"""What any machine has; asking how much is free takes longer than a small call."""


def check_room(argument: str, value: object, needed_bytes: int) -> None:
    """Check that there is memory for an argument, before allocating any.

    Raises
    ------
    InvalidParameter
        When it needs more than is free, which would end this process or another.
    """
    if needed_bytes < _SMALL_BYTES:
        return
    from stratoperf.monitor.memory import free_bytes

    free = free_bytes()
    if free is not None and needed_bytes > free:
        raise InvalidParameter(
            f"{argument}: {shown(value)} needs {needed_bytes / 1e9:,.1f} GB of memory, but "
            f"only {free / 1e9:,.1f} GB are free; give a smaller one"
        )
