"""The messages between a worker and the process that drives it: JSON lines over a socket.

Every line is an object with ``protocol`` and ``type``. The driver asks and the worker answers each
question once, in order:

===========  ===========================================  ========================================
question     says                                         answer
===========  ===========================================  ========================================
(none)                                                    ``hello``: version, python
``plan``     modules, select, backend, params             ``planned``: cases, unknown, warnings
``load``     origin, arguments, benchmark, version,       ``loaded``
             place
``pickled``  origin, arguments, benchmark, pickled        ``loaded``
``measure``  benchmark, backend, params, sampling,        ``measured``: result, is_set_up,
             profile, system, process                     has_built
``column``   series, name, start, stop                    ``column``: values
``setup``    modules, benchmark, backend, params,         ``ready``: batch, iteration_ns, items,
             warmup_s                                     item_unit, warmup, left, has_built
``slice``    batch, seconds, lead_in_s                    ``samples``: started_ns, latency
``verify``                                                ``verified``: checked
``quit``                                                  (the socket closes)
===========  ===========================================  ========================================

A live comparison asks for a plan, and then each of its many workers to ``setup``, for slices and
for a check. A run asks a worker to ``load`` a benchmark; `stratoperf.measure` hands it what is
``pickled``, which becomes a benchmark. Both ask it to ``measure`` that: the result has the lengths
of its columns, which are then asked for in pieces.

Any question may be answered by ``error``: kind, message. Samples are little-endian doubles in
base64: a slice may hold thousands.

The module, and the door that messages pass, need the standard library only, so that a worker in a
broken environment can still say what is wrong.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from stratoperf.door import check_outline, check_tree
from stratoperf.errors import SchemaError

PROTOCOL = "stratoperf.worker/1"

SLICES = 8
"""Slices of each side in a pair at most: while one works the other waits. What an operation may do
only so often is shared by them."""

SAMPLED_S = 0.5
"""Seconds that all slices of a process take, about."""

LONGEST_LINE = 1 << 24
"""Bytes in a message at most, 16 MiB (a slice of 10,000 samples has 107,000): garbage must not fill
memory."""

LONGEST_PIECE = 1 << 20
"""Numbers of a column in one answer at most: 11 MB."""

_CHUNK = 1 << 18
_BEGINNING = b'{"protocol": "'
_SHOWN = 80


class Closed(Exception):
    """The other end is gone."""


class Garbage(Exception):
    """Something else than a message of the protocol came; the argument is its first bytes."""


class Channel:
    """One end of the conversation.

    Parameters
    ----------
    connection
        A connected stream socket; the channel owns it.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    def send(self, kind: str, *, timeout_s: float | None = None, **fields: Any) -> None:
        """Send a message.

        Parameters
        ----------
        kind, fields
            What it says.
        timeout_s
            How long the other end may take to read what does not fit into the socket; ``None``
            waits for good.

        Raises
        ------
        Closed
            When nobody listens any more, or not in time.
        """
        line = json.dumps({"protocol": PROTOCOL, "type": kind, **fields})
        try:
            self._connection.settimeout(timeout_s)
            self._connection.sendall(line.encode() + b"\n")
        except OSError as error:
            raise Closed from error

    def receive(self, timeout_s: float | None = None) -> dict[str, Any]:
        """Return the next message.

        Parameters
        ----------
        timeout_s
            How long to wait for the whole of it; ``None`` waits for good.

        Raises
        ------
        Closed
            At the end of the conversation.
        Garbage
            When the bytes are not a message of this protocol.
        TimeoutError
            When nothing comes in time.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        end = self._buffer.find(b"\n")
        while end < 0:
            if len(self._buffer) > LONGEST_LINE:
                raise Garbage(bytes(self._buffer[:_SHOWN]))
            known = len(self._buffer)
            self._buffer += self._more(deadline)
            end = self._buffer.find(b"\n", known)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return _parsed(line)

    def _more(self, deadline: float | None) -> bytes:
        """Return what comes next."""
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        try:
            chunk = self._connection.recv(_CHUNK)
        except ConnectionError:
            chunk = b""
        if chunk:
            return chunk
        # A message cut short is the last word of a process that died while it spoke.
        if self._buffer[: len(_BEGINNING)] != _BEGINNING[: len(self._buffer)]:
            raise Garbage(bytes(self._buffer[:_SHOWN]))
        raise Closed

    def close(self) -> None:
        """Close this end."""
        self._connection.close()


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        check_outline(line)
        message = json.loads(line)
        check_tree(message)
    except (ValueError, RecursionError, SchemaError):
        message = None
    if (
        not isinstance(message, dict)
        or not isinstance(message.get("protocol"), str)
        or not isinstance(message.get("type"), str)
    ):
        raise Garbage(line[:_SHOWN])
    return message
