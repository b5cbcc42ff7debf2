"""The work of an operation in one iteration: one piece, or several in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from stratoperf._core import synthesis as native
from stratoperf.operation import Operation

REWRITING_BACKENDS = ("cpu", "reference")
"""What expanding and transforming run on: both copy texts and rows of many lengths, for which a
device gains nothing over the time to bring the result back."""


class Work(NamedTuple):
    """A piece of work, native or in Python.

    Attributes
    ----------
    step
        The native one; ``None`` for one in Python.
    call
        The one in Python: the reference.
    verify
        Holds the outcome of the last iteration to the reference; returns how many outcomes it
        checked, or raises `VerificationFailed`.
    operations
        Comparisons evaluated in an iteration.
    """

    step: native.Step | None
    call: Callable[[], object]
    verify: Callable[[], int]
    operations: int


class HasWork(Protocol):
    """A `Matcher`, `Expander` or `Transformer`."""

    def work(self) -> Work:
        """Return one iteration of its work."""
        ...


def operation_of(works: Sequence[Work], *, name: str, items: float, item_unit: str) -> Operation:
    """Return the operation that does all works once an iteration."""
    steps = [work.step for work in works if work.step is not None]
    if len(steps) < len(works):
        # Nothing is left to verify the reference against.
        return Operation(
            lambda: [work.call() for work in works], name=name, items=items, item_unit=item_unit
        )
    return Operation(
        native.operation(list(steps)),
        name=name,
        items=items,
        item_unit=item_unit,
        verify=lambda: sum(work.verify() for work in works),
    )


def mixed(parts: Sequence[HasWork]) -> Operation:
    """Return the operation that matches, expands and transforms, one after the other.

    Items are the comparisons evaluated; what else the parts do takes time and counts for nothing.

    Parameters
    ----------
    parts
        At least one that matches, all on one backend.
    """
    works = [part.work() for part in parts]
    items = sum(work.operations for work in works)
    return operation_of(works, name="synthesis.mixed", items=items, item_unit="operations")
