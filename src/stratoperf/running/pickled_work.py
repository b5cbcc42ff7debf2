"""Work that fresh processes unpickle: all that `stratoperf.measure` takes, except benchmarks."""

from __future__ import annotations

import base64
import inspect
import pickle
import sys
from pathlib import Path
from typing import Any, NamedTuple

from stratoperf.awaited import is_coroutine_function
from stratoperf.errors import InvalidParameter
from stratoperf.failures import type_name
from stratoperf.operation import CAPSULE_NAME, Operation
from stratoperf.running.checked_declaration import declare
from stratoperf.running.declaration import Benchmark
from stratoperf.running.origin import MAIN, Origin
from stratoperf.running.workers.protocol import LONGEST_LINE

MEASURED = "measured"
"""Of the benchmark that a fresh process makes of what was pickled."""

_LARGEST_PICKLE = LONGEST_LINE * 3 // 4 - (1 << 20)
"""Bytes: in a message it takes a third more, and the arguments of this process stand beside it."""

_REMEDY = (
    "give a function that stands at the top level of a module, or one there that makes the "
    "operation and returns it, or leave processes out"
)


class Pickled(NamedTuple):
    """What a fresh process unpickles and measures.

    Attributes
    ----------
    work
        In base64.
    main
        What Python was started with, if the work is of there.
    """

    work: str
    main: Origin | None


def benchmark_of(work: Any, name: str) -> Benchmark:
    """Return a benchmark that measures what `measure` was given.

    Parameters
    ----------
    work
        What is measured. A function is called once for that: if it returns an operation, or
        yields one, this is measured, and else the function itself.
    name
        Name of the benchmark.
    """

    def operation() -> Any:
        if isinstance(work, Operation) or not callable(work) or is_coroutine_function(work):
            return work
        made = work()
        is_operation = isinstance(made, Operation) or _is_capsule(made)
        return made if is_operation or inspect.isgenerator(made) else work

    return declare(
        operation,
        name,
        params={},
        backend_params={},
        version=1,
        backends=("cpu",),
        category="custom",
        target=None,
        items=None,
        item_unit=None,
        disk_bytes=0,
        setup_s=0.0,
        sustained_s=0.0,
        check=None,
    )


def _is_capsule(value: Any) -> bool:
    return type(value).__name__ == "PyCapsule" and CAPSULE_NAME in repr(value)


def title_of(work: Any) -> str:
    """Return the title of a measurement of this work."""
    if isinstance(work, Operation):
        return work.name
    return str(getattr(work, "__qualname__", type(work).__qualname__))


def pickle_work(work: Any, title: str, processes: int) -> Pickled:
    """Return the work in a form that a fresh process can load."""
    try:
        data = pickle.dumps(work)
    # An object pickles itself as it likes.
    except Exception as error:
        raise refused(title, processes, _why_not(title, error)) from None
    main = _main() if MAIN.encode() in data else None
    if main is None and MAIN.encode() in data:
        why = "it is defined at a prompt, in a notebook or by python -c, where none can import it"
        raise refused(title, processes, why)
    if len(data) > _LARGEST_PICKLE:
        raise InvalidParameter(
            f"processes: {title} takes {len(data):,} bytes when it is pickled for a fresh process, "
            f"at most {_LARGEST_PICKLE:,}; give a function at the top level of a module that "
            "makes its data and returns the operation, or leave processes out"
        )
    return Pickled(base64.b64encode(data).decode(), main)


def _why_not(title: str, error: Exception) -> str:
    if title.endswith("<lambda>"):
        return "it is a lambda"
    if "<locals>" in title:
        return "it is defined within a function"
    return f"it cannot be pickled ({type_name(error)}: {error})"


def refused(title: str, processes: int, why: str) -> InvalidParameter:
    """Return the error for work that no fresh process can load."""
    return InvalidParameter(
        f"processes: {title} cannot be measured in {processes} fresh processes, since {why}; "
        f"{_REMEDY}"
    )


def _main() -> Origin | None:
    """Return what Python was started with, if a fresh process can import it."""
    module = sys.modules.get(MAIN)
    file = getattr(module, "__file__", None)
    try:
        path = Path(str(file)).resolve(strict=True)
    except OSError:
        return None
    specification = getattr(module, "__spec__", None)
    return Origin(getattr(specification, "name", MAIN), str(path), path.stat().st_mtime_ns)
