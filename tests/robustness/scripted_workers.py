"""A worker that says what it is given and no more."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from stratoperf.running.workers.client import WorkerProcess


class _Ended:
    """A process that has ended already."""

    def __enter__(self) -> _Ended:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def wait(self, timeout_s: float) -> bool:
        return True

    def finish(self) -> int:
        return 0

    def interrupt(self) -> None:
        pass


class ScriptedWorker(WorkerProcess):
    """The worker of the current side that sends some bytes and ends."""

    def __init__(self, said: bytes, *, timeout_s: float = 60.0) -> None:
        self._to_say = said
        super().__init__("current", sys.executable, {}, timeout_s)

    def _started(self, descriptor: int, variables: Mapping[str, str]) -> Any:
        far = socket.socket(fileno=os.dup(descriptor))
        far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)

        def say() -> None:
            with far, contextlib.suppress(OSError):
                far.sendall(self._to_say)

        threading.Thread(target=say).start()
        return _Ended()
