"""Coroutine functions as work: each call is awaited in an event loop of its own thread."""

from __future__ import annotations

import functools
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from typing import TypeGuard

_COROUTINE = 0x80
"""`inspect.CO_COROUTINE`; that module is slow to import."""

_GENERATOR = 0x20 | 0x200
"""`inspect.CO_GENERATOR` and `CO_ASYNC_GENERATOR`."""

COST_CALLS = 200
"""Calls of a coroutine function that does nothing, for the cost of the event loop."""


def is_coroutine_function(
    work: object,
) -> TypeGuard[Callable[[], Coroutine[Any, Any, object]]]:
    """Return whether a call creates a coroutine, also one of a partial or of an object."""
    return bool(_flags(work) & _COROUTINE)


def is_generator_function(work: object) -> bool:
    """Return whether a call creates a generator, also an asynchronous one."""
    return bool(_flags(work) & _GENERATOR)


def _flags(work: Any) -> int:
    while isinstance(work, functools.partial):
        work = work.func
    code = getattr(work, "__code__", None) or getattr(type(work).__call__, "__code__", None)
    return int(getattr(code, "co_flags", 0))


class Awaited:
    """A coroutine function as a callable that runs it to its end.

    The event loop is made at the first call, so that this can be pickled before, and closed when
    this object goes. In a notebook, whose own loop waits for the cell, the calls run beside it.

    Parameters
    ----------
    function
        A coroutine function without arguments.
    """

    def __init__(self, function: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self._function = function
        self._loop: asyncio.AbstractEventLoop | None = None

    def __call__(self) -> None:
        """Run a coroutine to its end, and drop its result."""
        self._run(self._function())

    def _run(self, coroutine: Coroutine[Any, Any, object]) -> None:
        import asyncio

        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.new_event_loop()
            weakref.finalize(self, _close, loop)
        running = asyncio._get_running_loop()
        if running is None:
            loop.run_until_complete(coroutine)
            return
        # It cannot go on before this returns, so the rule against two loops has no purpose here.
        asyncio._set_running_loop(None)
        try:
            loop.run_until_complete(coroutine)
        finally:
            asyncio._set_running_loop(running)

    def loop_cost_ns(self) -> float:
        """Return the median time that an empty coroutine takes in the loop, in nanoseconds."""
        times = []
        for _ in range(COST_CALLS):
            started = time.perf_counter_ns()
            self._run(_nothing())
            times.append(time.perf_counter_ns() - started)
        return float(sorted(times)[len(times) // 2])

    def __reduce__(self) -> tuple[type[Awaited], tuple[Callable[[], Any]]]:
        return Awaited, (self._function,)


async def _nothing() -> None:
    pass


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what an interrupt left in the loop, and close it."""
    import asyncio

    if loop.is_closed() or loop.is_running():
        return
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio._set_running_loop(running)
        loop.close()
