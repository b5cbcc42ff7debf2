"""Foreign code in a block: what it raises is caught, and what it changes is put back.

A benchmark is code of the user that runs in this process, and the cases after it run there too.
Whatever it does to the process must neither end the run nor move its files.
"""

from __future__ import annotations

import contextlib
import gc
import locale
import logging
import os
import resource
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TypeAlias

from stratoperf.failures import describe, storable
from stratoperf.suite.standard_streams import keep_standard_streams

_LOG = logging.getLogger(__name__)

Restore: TypeAlias = Callable[[], str | None]
"""Puts something back; returns its name when it had been changed."""

_NAMES_SHOWN = 5

_SOON_S = 1e-3
_SAME_ALARM_S = 0.1


class Containment:
    """A block of foreign code that can neither end the process nor change it for good.

    On exit, what the block raised is kept in `error` instead of being raised, and the state of the
    process is put back. Signal handlers that were there before still interrupt the block, which is
    noted: so an interrupt of the user differs from a ``KeyboardInterrupt`` of the block's own.

    A process that the block forked and that comes back out of it ends here: it must not go on with
    the work of its parent.

    Parameters
    ----------
    keepers
        What is put back; by default all that is known here.

    Attributes
    ----------
    error
        What the block raised, or ``None``.
    interrupts
        What handlers of signals raised meanwhile, whether or not the block swallowed it.
    changes
        After the block, the names of what it had changed.
    """

    def __init__(self, keepers: Iterable[Callable[[], Restore]] | None = None) -> None:
        self.error: BaseException | None = None
        self.interrupts: list[BaseException] = []
        self.changes: list[str] = []
        self._keepers = tuple(KEEPERS if keepers is None else keepers)
        self._restores: list[Restore] = []
        self._process = 0
        self._is_at_door = False

    def __enter__(self) -> Containment:
        self._process = os.getpid()
        self._is_at_door = True
        # Put back last, so that Ctrl-C is only noted meanwhile.
        self._restores.append(self._keep_signal_handlers())
        for keeper in self._keepers:
            # Where something cannot be read (in a working directory without permission, say) it
            # cannot be put back either.
            with contextlib.suppress(OSError, ValueError):
                self._restores.append(keeper())
        self._is_at_door = False
        if self.interrupts:
            self._put_back()
            raise self.interrupts[0]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._is_at_door = True
        if os.getpid() != self._process:
            _end_of_fork(error)
        self.error = error
        if error is not None:
            _LOG.debug("foreign code raised", exc_info=True)
        self._put_back()
        return True

    def _put_back(self) -> None:
        for restore in reversed(self._restores):
            try:
                changed = restore()
            except BaseException as problem:
                changed = f"something that cannot be put back ({describe(problem)})"
            if changed is not None:
                self.changes.append(storable(changed))

    @property
    def sentences(self) -> list[str]:
        """What a reader of the result should know."""
        if not self.changes:
            return []
        return [
            "the benchmark changed what other cases share, which was put back: "
            + ", ".join(self.changes)
        ]

    def _keep_signal_handlers(self) -> Restore:
        if threading.current_thread() is not threading.main_thread():
            return lambda: None
        before = {number: signal.getsignal(number) for number in signal.valid_signals()}
        ours: dict[int, Any] = {
            number: self._noting(handler) for number, handler in before.items() if callable(handler)
        }
        for number, handler in ours.items():
            signal.signal(number, handler)

        def restore() -> str | None:
            changed = []
            for number, handler in before.items():
                now = signal.getsignal(number)
                if now is not ours.get(number, handler):
                    changed.append(signal.Signals(number).name)
                elif number not in ours:
                    continue
                # A handler that Python did not install cannot be installed by it either.
                if handler is not None:
                    signal.signal(number, handler)
            return f"the handler of {_listed(changed)}" if changed else None

        return restore

    def _noting(
        self, handler: Callable[[int, FrameType | None], Any]
    ) -> Callable[[int, FrameType | None], None]:
        def noting(number: int, frame: FrameType | None) -> None:
            try:
                handler(number, frame)
            except BaseException as interrupt:
                self.interrupts.append(interrupt)
                # Before and after the block nothing may be left half done.
                if not self._is_at_door:
                    raise

        return noting


def _end_of_fork(error: BaseException | None) -> None:
    """End a forked process as Python would have: its parent goes on, it does not."""
    status = 0
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        status = 1
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
    os._exit(status & 0xFF)


def _keep_directory() -> Restore:
    here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    before = os.fstat(here)

    def restore() -> str | None:
        try:
            with contextlib.suppress(OSError):
                if os.path.samestat(before, Path().stat()):
                    return None
            os.fchdir(here)
        finally:
            os.close(here)
        return "the working directory"

    return restore


def _keep_umask() -> Restore:
    # It can only be read by setting it; what another thread creates meanwhile is private.
    before = os.umask(0o077)
    os.umask(before)
    return lambda: "the umask" if os.umask(before) != before else None


def _keep_environment() -> Restore:
    variables, before = os.environ, dict(os.environ)
    module: Any = os

    def restore() -> str | None:
        replaced = module.environ is not variables
        module.environ = variables
        now = dict(variables)
        names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        for name in names:
            if name in before:
                variables[name] = before[name]
            else:
                del variables[name]
        if "TZ" in names:
            time.tzset()
        changed = ["os.environ"] if replaced else []
        return _listed([*changed, *names]) or None

    return restore


def _keep_path() -> Restore:
    path, before = sys.path, list(sys.path)

    def restore() -> str | None:
        changed = sys.path is not path or path != before
        sys.path, path[:] = path, before
        return "sys.path" if changed else None

    return restore


def _keep_hooks() -> Restore:
    hooks = [
        (module, name, getattr(module, name))
        for module, name in (
            (sys, "excepthook"),
            (sys, "unraisablehook"),
            (sys, "displayhook"),
            (threading, "excepthook"),
        )
    ]

    def restore() -> str | None:
        changed = []
        for module, name, before in hooks:
            if getattr(module, name, None) is not before:
                changed.append(f"{module.__name__}.{name}")
                setattr(module, name, before)
        return _listed(changed) if changed else None

    return restore


def _keep_warning_filters() -> Restore:
    # Importing a library changes these as a matter of course: no reader needs to know.
    saved = warnings.catch_warnings()
    saved.__enter__()

    def restore() -> None:
        saved.__exit__(None, None, None)

    return restore


def _keep_threads() -> Restore:
    before = set(threading.enumerate())

    def restore() -> str | None:
        left = [thread.name for thread in threading.enumerate() if thread not in before]
        return f"a thread that still runs ({_listed(left)})" if left else None

    return restore


def _keep_limits() -> Restore:
    kinds = {name: value for name, value in vars(resource).items() if name.startswith("RLIMIT_")}
    before = {name: resource.getrlimit(kind) for name, kind in kinds.items()}

    def restore() -> str | None:
        changed = []
        for name, (soft, hard) in before.items():
            now = resource.getrlimit(kinds[name])
            if now == (soft, hard):
                continue
            changed.append(name)
            try:
                resource.setrlimit(kinds[name], (soft, hard))
            except (ValueError, PermissionError):
                # Without privileges a hard limit only goes down.
                resource.setrlimit(kinds[name], (_within(soft, now[1]), now[1]))
        return _listed(changed) if changed else None

    return restore


def _within(soft: int, hard: int) -> int:
    unlimited = resource.RLIM_INFINITY
    if hard == unlimited:
        return soft
    return hard if soft == unlimited else min(soft, hard)


def _keep_signal_mask() -> Restore:
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def restore() -> str | None:
        changed = signal.pthread_sigmask(signal.SIG_SETMASK, mask) != mask
        return "the mask of signals" if changed else None

    return restore


def _keep_alarm() -> Restore:
    delay, interval = signal.getitimer(signal.ITIMER_REAL)
    due = time.monotonic() + delay

    def restore() -> str | None:
        left = max(due - time.monotonic(), _SOON_S) if delay else 0.0
        now, now_interval = signal.getitimer(signal.ITIMER_REAL)
        if interval or (now_interval == 0 and abs(now - left) < _SAME_ALARM_S):
            # One that goes off again and again says nothing of how often it did.
            return None
        signal.setitimer(signal.ITIMER_REAL, left)
        return "the alarm"

    return restore


def _keep(name: str, get: Callable[[], Any], put: Callable[[Any], object]) -> Callable[[], Restore]:
    """Return a keeper of one setting that can be read and set."""

    def keeper() -> Restore:
        before = get()

        def restore() -> str | None:
            if get() == before:
                return None
            put(before)
            return name

        return restore

    return keeper


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def _scheduling() -> tuple[int, int]:
    return os.sched_getscheduler(0), os.sched_getparam(0).sched_priority


def _set_scheduling(scheduling: tuple[int, int]) -> None:
    policy, priority = scheduling
    os.sched_setscheduler(0, policy, os.sched_param(priority))


def _set_affinity(processors: set[int]) -> None:
    os.sched_setaffinity(0, processors)


def _set_priority(nice: int) -> None:
    os.setpriority(os.PRIO_PROCESS, 0, nice)


def _set_garbage_collection(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()


def _keep_numpy_errors() -> Restore:
    import numpy as np

    before = np.geterr()

    def restore() -> str | None:
        return (
            "NumPy's reaction to floating-point errors" if np.seterr(**before) != before else None
        )

    return restore


IMPORTING: tuple[Callable[[], Restore], ...] = (
    keep_standard_streams,
    _keep_directory,
    _keep_umask,
    _keep_signal_mask,
    _keep_alarm,
    _keep_hooks,
    _keep("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    _keep(
        "the locale",
        lambda: locale.setlocale(locale.LC_ALL),
        lambda before: locale.setlocale(locale.LC_ALL, before),
    ),
    _keep("garbage collection", gc.isenabled, _set_garbage_collection),
    _keep(
        "the thresholds of garbage collection",
        gc.get_threshold,
        lambda before: gc.set_threshold(*before),
    ),
)
"""What the import of a module has no business with. It may extend ``sys.path``, say."""

KEEPERS: tuple[Callable[[], Restore], ...] = (
    *IMPORTING,
    _keep_environment,
    _keep_path,
    _keep_warning_filters,
    _keep_threads,
    _keep_limits,
    _keep("the processors of the thread", lambda: os.sched_getaffinity(0), _set_affinity),
    _keep("the scheduling of the thread", _scheduling, _set_scheduling),
    _keep("the priority of the thread", lambda: os.getpriority(os.PRIO_PROCESS, 0), _set_priority),
    _keep("the trace function", sys.gettrace, sys.settrace),
    _keep("the profile function", sys.getprofile, sys.setprofile),
    _keep("the switch interval", sys.getswitchinterval, sys.setswitchinterval),
    _keep_numpy_errors,
)
"""What a case may not change for those after it."""
