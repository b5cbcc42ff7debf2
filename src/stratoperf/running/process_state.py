"""The state of this process that foreign code may change, and how each part is put back.

A keeper reads a part before the foreign code runs, and returns the function that puts it back.
"""

from __future__ import annotations

import contextlib
import gc
import locale
import os
import resource
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

from stratoperf.running.kept_descriptor import KeptDescriptor
from stratoperf.running.standard_streams import keep_standard_streams

Restore: TypeAlias = Callable[[], str | None]
"""Puts something back; returns its name when it had been changed."""

_NAMES_SHOWN = 5

_SOON_S = 1e-3
_SAME_ALARM_S = 0.1


def listed(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def _keep_directory() -> Restore:
    here = KeptDescriptor(os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
    before = os.fstat(here.number)

    def restore() -> str | None:
        try:
            with contextlib.suppress(OSError):
                if os.path.samestat(before, Path().stat()):
                    return None
            here.check("the working directory")
            os.fchdir(here.number)
        finally:
            here.close()
        return "the working directory"

    return restore


def _keep_umask() -> Restore:
    # It can only be read by setting it; what another thread creates meanwhile is private.
    before = os.umask(0o077)
    os.umask(before)
    return lambda: "the umask" if os.umask(before) != before else None


def _keep_environment() -> Restore:
    # As bytes, which are not decoded: there may be many.
    variables, before = os.environb, dict(os.environb)
    module, objects = vars(os), {"environ": os.environ, "environb": os.environb}

    def restore() -> str | None:
        changed = [f"os.{name}" for name, its in objects.items() if module.get(name) is not its]
        module.update(objects)
        now = dict(variables)
        names = []
        if now != before:
            names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        for name in names:
            if name in before:
                variables[name] = before[name]
            else:
                del variables[name]
        if b"TZ" in names:
            time.tzset()
        changed += [f"the environment ({listed(map(os.fsdecode, names))})"] if names else []
        return listed(changed) or None

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
        return listed(changed) if changed else None

    return restore


def _keep_warning_filters() -> Restore:
    # Importing a library changes these as a matter of course: no reader needs to know.
    saved = warnings.catch_warnings()
    saved.__enter__()

    def restore() -> None:
        saved.__exit__(None, None, None)

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
        return listed(changed) if changed else None

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
        if interval:
            # One that goes off again and again says nothing of how often it did: it goes on.
            is_same = now_interval == interval and now > 0
            left = interval
        else:
            # Without an alarm before, one that is about to go off is a difference.
            is_near = abs(now - left) < _SAME_ALARM_S if delay else now == 0
            is_same = now_interval == 0 and is_near
        if is_same:
            return None
        signal.setitimer(signal.ITIMER_REAL, left, interval)
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
