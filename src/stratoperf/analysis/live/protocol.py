"""What a worker and the process that drives it say to each other: JSON lines over a socket.

Every line is an object with ``protocol`` and ``type``. The driver asks and the worker answers each
question once, in order:

=========  ===============================================  =======================================
question   says                                             answer
=========  ===============================================  =======================================
(none)                                                      ``hello``: version, python
``plan``   modules, select, backend, params                 ``planned``: cases, unknown, warnings
``setup``  modules, benchmark, backend, params, warmup_s    ``ready``: batch, iteration_ns, items,
                                                            item_unit, warmup
``slice``  batch, seconds, lead_in_s                        ``samples``: started_ns, latency
``verify``                                                  ``verified``: checked
``quit``                                                    (the socket closes)
=========  ===============================================  =======================================

Any question may be answered by ``error``: kind, message. Samples are little-endian doubles in
base64: a slice may hold thousands.

The module needs the standard library only, so that a worker in a broken environment can still say
what is wrong.
"""

from __future__ import annotations

import json
import socket
from typing import Any

PROTOCOL = "stratoperf.worker/1"

LONGEST_LINE = 1 << 26
"""Bytes in a message at most (a slice of 10,000 samples has 107,000): garbage must not fill
memory."""

_CHUNK = 1 << 18


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

    def send(self, kind: str, **fields: Any) -> None:
        """Send a message.

        Raises
        ------
        Closed
            When nobody listens any more.
        """
        line = json.dumps({"protocol": PROTOCOL, "type": kind, **fields})
        try:
            self._connection.sendall(line.encode() + b"\n")
        except OSError as error:
            raise Closed from error

    def receive(self, timeout_s: float | None = None) -> dict[str, Any]:
        """Return the next message.

        Parameters
        ----------
        timeout_s
            How long to wait for each part of it; ``None`` waits for good.

        Raises
        ------
        Closed
            At the end of the conversation.
        Garbage
            When the bytes are no message, or one of another protocol.
        TimeoutError
            When nothing comes in time.
        """
        end = self._buffer.find(b"\n")
        while end < 0:
            if len(self._buffer) > LONGEST_LINE:
                raise Garbage(bytes(self._buffer[:80]))
            self._connection.settimeout(timeout_s)
            try:
                chunk = self._connection.recv(_CHUNK)
            except ConnectionError:
                chunk = b""
            if not chunk:
                if self._buffer:
                    raise Garbage(bytes(self._buffer[:80]))
                raise Closed
            known = len(self._buffer)
            self._buffer += chunk
            end = self._buffer.find(b"\n", known)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return _parsed(line)

    def close(self) -> None:
        """Close this end."""
        self._connection.close()


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if (
        not isinstance(message, dict)
        or not isinstance(message.get("protocol"), str)
        or not isinstance(message.get("type"), str)
    ):
        raise Garbage(line[:80])
    return message
